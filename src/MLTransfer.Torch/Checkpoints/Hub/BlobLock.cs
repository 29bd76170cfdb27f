namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Keeps others from writing the same blob at the same time. It excludes Python's <c>filelock</c> too: opening a file for this process
/// alone is <c>flock(LOCK_EX)</c> on Unix and a sharing violation for others on Windows. The file stays behind, as Python leaves it.
/// </summary>
internal static class BlobLock
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public static async Task<IDisposable> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStreamOptions options = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
                | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException e) when (SharingViolation.Is(e))
            {
                await Task.Delay(Interval, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
