namespace MLTransfer.Torch.Exports;

/// <summary>A file that an export wrote.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="ByteCount">Its size.</param>
/// <param name="Remark">What llama.cpp computes otherwise than the engine, such as texts longer than a window; null for nothing.</param>
public sealed record GgufExportedFile(string Path, long ByteCount, string? Remark = null);
