using System.Text.RegularExpressions;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Names beside a file or folder under which its successor is written: <c>NAME.tmp-*</c>. A living writer has a file open, the new file
/// itself or the lock of a new folder; what can be opened without sharing was abandoned by a killed process.
/// </summary>
internal static partial class TemporarySibling
{
    public static string NewName(string path) => $"{path}.tmp-{Guid.NewGuid().ToString("N")[..12]}";

    /// <summary>Takes the lock that says that a temporary folder is being written; disposing it deletes the lock's file.</summary>
    public static FileStream LockFolder(string temporaryFolder) => OpenAlone(LockOf(temporaryFolder), FileMode.OpenOrCreate);

    /// <summary>The name of a temporary folder that does not exist yet, with its lock.</summary>
    public static (string Folder, FileStream Lock) LockNewFolder(string path)
    {
        while (true)
        {
            var folder = NewName(path);
            try
            {
                var hold = LockFolder(folder);
                if (File.Exists(LockOf(folder)))
                    return (folder, hold);
                hold.Dispose();
            }
            catch (IOException exception) when (SharingViolation.Is(exception))
            {
            }

            // Another process that clears up took the lock's file for abandoned before it was locked.
        }
    }

    public static void DeleteAbandonedFiles(string path)
    {
        foreach (string file in Siblings(path, Directory.EnumerateFiles)) DeleteUnlessInUse(file, FileMode.Open, () => { });
    }

    public static void DeleteAbandonedFolders(string path)
    {
        foreach (string folder in Siblings(path, Directory.EnumerateDirectories))
            DeleteUnlessInUse(LockOf(folder), FileMode.OpenOrCreate, () => Directory.Delete(folder, recursive: true));
        DeleteAbandonedFiles(path);   // the locks that are left
    }

    /// <summary>Deletes everything in a folder that a killed process left under such a name, whatever file or folder it was for.</summary>
    public static void DeleteAllAbandoned(string folder)
    {
        List<string> paths =
        [
            .. Directory.EnumerateFileSystemEntries(folder).Select(entry => AnySuffix.Match(entry)).Where(match => match.Success)
                .Select(match => match.Groups[1].Value).Distinct(),
        ];
        paths.ForEach(DeleteAbandonedFolders);
    }

    private static string LockOf(string temporaryFolder) => temporaryFolder + ".lock";

    private static FileStream OpenAlone(string file, FileMode mode) =>
        new(file, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);

    private static void DeleteUnlessInUse(string file, FileMode mode, Action deleteFirst)
    {
        try
        {
            using FileStream hold = OpenAlone(file, mode);
            deleteFirst();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process writes it at this moment, or it cannot be deleted yet: the next write tries again.
        }
    }

    private static List<string> Siblings(string path, Func<string, IEnumerable<string>> enumerate)
    {
        string folder = Path.GetDirectoryName(path) ?? path;
        string name = Path.GetFileName(path);
        if (!Directory.Exists(folder)) return [];
        return [.. enumerate(folder).Where(sibling => Path.GetFileName(sibling) is string other
            && other.StartsWith(name, StringComparison.Ordinal) && Suffix.IsMatch(other.AsSpan(name.Length)))];
    }

    [GeneratedRegex(@"^\.tmp-[0-9a-f]{12}(\.lock)?$")]
    private static partial Regex Suffix { get; }

    [GeneratedRegex(@"^(.*)\.tmp-[0-9a-f]{12}(\.lock)?$", RegexOptions.Singleline)]
    private static partial Regex AnySuffix { get; }
}
