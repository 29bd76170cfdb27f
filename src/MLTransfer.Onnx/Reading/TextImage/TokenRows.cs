namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>Texts as a rectangle of token ids.</summary>
/// <param name="Ids">[count, length].</param>
/// <param name="Mask">[count, length]: 0 for padding, else 1.</param>
/// <param name="Count">The texts.</param>
/// <param name="Length">The tokens of each, with padding.</param>
internal sealed record TokenRows(long[] Ids, long[] Mask, int Count, int Length);
