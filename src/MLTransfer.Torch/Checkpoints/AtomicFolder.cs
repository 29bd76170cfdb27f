using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Writes folders so that their final name only ever holds a whole one: everything goes to a sibling <c>NAME.tmp-*</c>, is flushed to the
/// disk, and is renamed into place. Siblings that a killed process left behind are deleted by the next write to the same name.
/// </summary>
internal static partial class AtomicFolder
{
    /// <summary>
    /// Writes a folder, replacing an existing one with all that is in it. If anything fails, the old folder stays as it was and nothing is
    /// left behind. On Linux the replacement is one step; elsewhere the name is missing for the moment between two renames.
    /// </summary>
    /// <param name="folder">The folder; its parent folders are made where they are missing.</param>
    /// <param name="writeInto">Writes the contents into the empty folder whose path it is given.</param>
    /// <exception cref="IOException">The folder cannot be written: for example the disk is full, or the name is that of a file.</exception>
    public static void Write(string folder, Action<string> writeInto)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(writeInto);
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(folder)) throw new IOException($"'{folder}' is a file; expected the name of a folder to write.");
        if (Path.GetDirectoryName(folder) is not string parent) throw new IOException($"'{folder}' is a root and cannot be replaced.");
        Directory.CreateDirectory(parent);
        TemporarySibling.DeleteAbandonedFolders(folder);

        string temporary = TemporarySibling.NewName(folder);
        using FileStream hold = TemporarySibling.LockFolder(temporary);
        try
        {
            Directory.CreateDirectory(temporary);
            writeInto(temporary);
            FlushToDisk(temporary);
            if (!Directory.Exists(folder)) Directory.Move(temporary, folder);
            else Replace(folder, temporary);
        }
        finally
        {
            // What failed, or the folder that was replaced.
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>
    /// Deletes a folder. It loses its name first, so that a process that is killed meanwhile leaves no half folder under it; what is left
    /// under the temporary name is deleted by the next write to the name, or by <see cref="TemporarySibling.DeleteAllAbandoned"/>.
    /// </summary>
    /// <param name="folder">The folder, which must exist.</param>
    /// <exception cref="IOException">It cannot be renamed or deleted.</exception>
    public static void Delete(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string temporary = TemporarySibling.NewName(folder);
        using FileStream hold = TemporarySibling.LockFolder(temporary);
        Directory.Move(folder, temporary);
        Directory.Delete(temporary, recursive: true);
    }

    private static void FlushToDisk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            // Windows flushes only what is open for writing; elsewhere a file may be one that nobody may write to, such as a copy of one.
            bool windows = OperatingSystem.IsWindows();
            if (windows && File.GetAttributes(file).HasFlag(FileAttributes.ReadOnly)) continue;
            using SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, windows ? FileAccess.ReadWrite : FileAccess.Read);
            RandomAccess.FlushToDisk(handle);
        }
    }

    /// <summary>Puts <paramref name="temporary"/> in the folder's place; afterwards the old folder has the temporary name.</summary>
    private static void Replace(string folder, string temporary)
    {
        const int currentDirectory = -100, exchange = 2;   // AT_FDCWD, RENAME_EXCHANGE
        try
        {
            if (OperatingSystem.IsLinux() && renameat2(currentDirectory, temporary, currentDirectory, folder, exchange) == 0) return;
        }
        catch (TypeLoadException)
        {
            // The C library goes by another name or is older than the call.
        }
        ReplaceInTwoSteps(folder, temporary);
    }

    /// <summary><see cref="Replace"/> where the system cannot exchange two names at once.</summary>
    internal static void ReplaceInTwoSteps(string folder, string temporary)
    {
        string old = TemporarySibling.NewName(folder);
        using FileStream hold = TemporarySibling.LockFolder(old);
        Directory.Move(folder, old);
        try
        {
            Directory.Move(temporary, folder);
        }
        catch
        {
            Directory.Move(old, folder);
            throw;
        }
        Directory.Move(old, temporary);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);
}
