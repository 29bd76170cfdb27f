using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments.Running;

/// <summary>A file that is held open for one process alone. The system lets go of it when the process ends, however it ends.</summary>
internal static class LockFile
{
    /// <summary>Takes the lock; disposing it gives it back and deletes the file.</summary>
    /// <returns>Null where another has it.</returns>
    public static IDisposable? TryTake(string path)
    {
        try
        {
            while (true)
            {
                var file = new FileStream(
                    path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
                if (File.Exists(path))
                    return file;
                file.Dispose(); // it was that of a process that gave it back between its opening and its locking here
            }
        }
        catch (IOException exception) when (SharingViolation.Is(exception))
        {
            return null;
        }
    }
}
