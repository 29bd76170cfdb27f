using System.Collections.Concurrent;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Persistence;

/// <summary>
/// A folder in the system's folder for temporary files. It is deleted with this object, or when the process ends; those that a killed
/// process left behind are deleted when the next one is made.
/// </summary>
internal sealed class TemporaryModelFolder : IDisposable
{
    private static readonly ConcurrentDictionary<string, FileStream> s_locks = new();

    static TemporaryModelFolder() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var path in s_locks.Keys)
            Delete(path);
    };

    public TemporaryModelFolder()
    {
        var name = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "mltransfer-model");
        TemporarySibling.DeleteAbandonedFolders(name);
        (Path, var hold) = TemporarySibling.LockNewFolder(name);
        s_locks[Path] = hold;
        Directory.CreateDirectory(Path);
    }

    ~TemporaryModelFolder() => Delete(Path);

    /// <summary>The folder's full path.</summary>
    public string Path { get; }

    public void Dispose()
    {
        Delete(Path);
        GC.SuppressFinalize(this);
    }

    private static void Delete(string path)
    {
        if (path is null || !s_locks.TryRemove(path, out var hold))
            return;
        try
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A file is still mapped, on Windows: without its lock the folder is deleted when the next one is made.
        }
        finally
        {
            hold.Dispose();
        }
    }
}
