namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>How far the download of a model has come. Reported about ten times a second at most.</summary>
/// <param name="File">Name of the file in the model repository.</param>
/// <param name="BytesDone">Bytes of this file that are on disk, those of an interrupted download before included.</param>
/// <param name="BytesTotal">Size of this file in bytes, as the hub announced it.</param>
/// <param name="FileIndex">Position of this file among those that the model needs, counted from 1.</param>
/// <param name="FileCount">Number of files that the model needs.</param>
public sealed record DownloadProgress(string File, long BytesDone, long BytesTotal, int FileIndex, int FileCount);
