namespace MLTransfer.Onnx;

/// <summary>A model file that an export wrote.</summary>
/// <param name="Name">Its path within the folder, such as <c>model.onnx</c>.</param>
/// <param name="Precision">The number format.</param>
/// <param name="ByteCount">Its size, with that of its data file.</param>
/// <param name="LargestDifference">The largest difference of a logit from the engine's in the check; null where it was not checked.</param>
public sealed record OnnxExportedFile(string Name, OnnxPrecision Precision, long ByteCount, double? LargestDifference);
