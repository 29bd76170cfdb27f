using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Keeps a run's folder from other runs, of this process and of others: a file that is held open for this run alone. The system lets go
/// of it when a process ends, however it ends.
/// </summary>
internal static class RunLock
{
    private const string FileName = "run.lock";

    /// <summary>Takes the lock; disposing it gives it back and deletes the file.</summary>
    /// <exception cref="IOException">Another run has it.</exception>
    public static IDisposable Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            while (true)
            {
                var file = new FileStream(
                    path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
                if (File.Exists(path))
                    return file;
                file.Dispose(); // it was that of a run that ended between its opening and its locking here
            }
        }
        catch (IOException exception) when (SharingViolation.Is(exception))
        {
            throw new IOException(
                $"The folder '{folder}' is in use by another training run, of this process or of another one ('{path}' is locked). A "
                + $"folder belongs to one run: wait for the other one, or give this one an {nameof(TrainingOptions.OutputDirectory)} of "
                + "its own.", exception);
        }
    }
}
