namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>A file of a commit, as the hub announces it.</summary>
/// <param name="Name">Plain name of a file in the repository's top folder.</param>
/// <param name="Commit">The commit.</param>
/// <param name="ContentHash">SHA-256, or git's blob SHA-1, in lower-case hexadecimal; also the name of the blob in the cache.</param>
/// <param name="Size">Size in bytes.</param>
internal sealed record HubFile(string Name, string Commit, string ContentHash, long Size);
