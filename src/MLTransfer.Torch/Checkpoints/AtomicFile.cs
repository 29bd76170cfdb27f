using System.Text;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Writes files so that their final name only ever holds a whole one: the new contents go to a sibling <c>NAME.tmp-*</c>, are flushed to
/// the disk, and are renamed into place. Siblings that a killed process left behind are deleted by the next write to the same name.
/// </summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes a file, replacing an existing one. If anything fails, the old file stays as it was and nothing is left behind. On Windows
    /// a file that is mapped into memory, such as the checkpoint that a model still views, cannot be replaced.
    /// </summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="write">Writes the contents to the seekable stream given to it.</param>
    /// <param name="check">Looks at the whole file, under its temporary name, before it gets the final one; it may throw.</param>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    public static void Write(string path, Action<Stream> write, Action<string>? check = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        path = Path.GetFullPath(path);
        TemporarySibling.DeleteAbandonedFiles(path);
        string temporary = TemporarySibling.NewName(path);
        try
        {
            // Delete sharing allows the rename while the file is open; open, it carries the lock that tells it from an abandoned one.
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
                if (check is null)
                {
                    File.Move(temporary, path, overwrite: true);
                    return;
                }
            }

            // Other readers want no writer beside them.
            using var hold = new FileStream(temporary, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            check(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a text file in UTF-8 without a byte order mark, replacing an existing one.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="text">The contents.</param>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    public static void WriteAllText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }
}
