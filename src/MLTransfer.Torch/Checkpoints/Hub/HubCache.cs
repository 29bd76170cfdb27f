using System.Globalization;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// One model's part of the local cache, laid out as Python's <c>huggingface_hub</c> does:
/// <c>blobs/HASH</c> with the contents, <c>snapshots/COMMIT/FILE</c> linking to them, and <c>refs/REVISION</c> holding a commit.
/// </summary>
internal sealed class HubCache(string cacheFolder, HubModelId id, bool useSymbolicLinks)
{
    private readonly string _cacheFolder = Path.GetFullPath(cacheFolder);

    public string ModelFolder => Path.Combine(_cacheFolder, id.FolderName);

    public string SnapshotFolder(string commit) => Path.Combine(ModelFolder, "snapshots", commit);

    public string BlobPath(HubFile file) => Path.Combine(ModelFolder, "blobs", file.ContentHash);

    public string IncompletePath(HubFile file) => BlobPath(file) + ".incomplete";

    public string LockPath(HubFile file) => Path.Combine(_cacheFolder, ".locks", id.FolderName, file.ContentHash + ".lock");

    private string ReferencePath(string revision) => Path.Combine([ModelFolder, "refs", .. revision.Split('/')]);

    private string PointerPath(HubFile file) => Path.Combine(SnapshotFolder(file.Commit), file.Name);

    /// <summary>The snapshot folder of a revision, or null where the cache does not have the whole model.</summary>
    public string? FindSnapshot(string revision)
    {
        string? commit = HubNames.IsCommit(revision) ? revision : ReadReference(revision);
        return commit is not null && ModelFiles.AreComplete(SnapshotFolder(commit)) ? SnapshotFolder(commit) : null;
    }

    /// <summary>Whether the snapshot has the file.</summary>
    public bool HasFile(HubFile file) => FileOnDisk.Length(PointerPath(file)) == file.Size;

    /// <summary>
    /// Whether the blob is there, linked from a snapshot or not. Blobs get their name only after their content was checked.
    /// </summary>
    public bool HasBlob(HubFile file) => FileOnDisk.Length(BlobPath(file)) == file.Size;

    /// <summary>Makes the blob visible as a file of its snapshot. The blob's lock must be held.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isNewBlob">Whether no other snapshot can refer to the blob yet, so that it may be moved where links are not
    /// possible.</param>
    public void Link(HubFile file, bool isNewBlob)
    {
        string pointer = PointerPath(file);
        string folder = Path.GetDirectoryName(pointer)!;
        Directory.CreateDirectory(folder);
        File.Delete(pointer);
        if (useSymbolicLinks && TryCreateLink(pointer, Path.GetRelativePath(folder, BlobPath(file))))
            return;
        if (isNewBlob)
        {
            File.Move(BlobPath(file), pointer);
            return;
        }

        string aside = pointer + ".incomplete";
        File.Copy(BlobPath(file), aside, overwrite: true);
        File.Move(aside, pointer, overwrite: true);
    }

    /// <summary>Records which commit a branch or tag stands for. Written aside and renamed.</summary>
    public void WriteReference(string revision, string commit)
    {
        if (revision == commit || ReadReference(revision) == commit)
            return;
        string path = ReferencePath(revision);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, commit);
    }

    /// <summary>Checks that the disk can hold what is still to be downloaded.</summary>
    /// <exception cref="HubException">It cannot.</exception>
    public void CheckFreeSpace(IEnumerable<HubFile> files)
    {
        Directory.CreateDirectory(_cacheFolder);
        UInt128 needed = 0;
        foreach (HubFile file in files.Where(file => !HasFile(file) && !HasBlob(file)))
            needed += (ulong)Math.Max(0, file.Size - (FileOnDisk.Length(IncompletePath(file)) ?? 0));
        if (FreeSpace() is { } free && needed > (ulong)free)
            throw new HubException(string.Create(
                CultureInfo.InvariantCulture,
                $"Downloading '{id}' needs {(double)needed / 1e6:N1} MB, but the disk of the cache folder '{_cacheFolder}' has "
                + $"{free / 1e6:N1} MB free. Free some space, or set HF_HUB_CACHE to a folder on another disk."));
    }

    /// <summary>Free bytes for this user, or null where the system cannot tell, as for some network folders.</summary>
    private long? FreeSpace()
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(_cacheFolder)! : _cacheFolder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string? ReadReference(string revision)
    {
        string path = ReferencePath(revision);
        return FileOnDisk.Length(path) is { } length and <= 100 && length > 0
            && File.ReadAllText(path).Trim() is var commit && HubNames.IsCommit(commit) ? commit : null;
    }

    private static bool TryCreateLink(string path, string target)
    {
        try
        {
            File.CreateSymbolicLink(path, target);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }
    }
}
