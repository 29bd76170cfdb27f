namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>An entry of a zip archive, checked to lie within the file.</summary>
/// <param name="Name">With forward slashes.</param>
/// <param name="Offset">Where its data starts in the file.</param>
/// <param name="StoredLength">The bytes it takes in the file.</param>
/// <param name="Length">The bytes of its contents.</param>
/// <param name="IsDeflated">Whether the contents are compressed.</param>
internal sealed record ZipEntry(string Name, long Offset, long StoredLength, long Length, bool IsDeflated);
