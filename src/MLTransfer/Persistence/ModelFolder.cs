using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Persistence;

/// <summary>Writes a model's folder, under its name only when it is whole.</summary>
internal static class ModelFolder
{
    /// <param name="folder">A new or empty folder, or one that holds a model, which is replaced.</param>
    /// <param name="mark">The file by which a folder is known to hold a model.</param>
    /// <param name="write">Writes the files into an existing folder.</param>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    public static void Write(string folder, string mark, Action<string> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(Path.Combine(folder, mark)))
        {
            throw new IOException(
                $"The folder '{folder}' is not empty and holds no model. Give a new folder: what is in it would be lost.");
        }
        AtomicFolder.Write(folder, write);
    }
}
