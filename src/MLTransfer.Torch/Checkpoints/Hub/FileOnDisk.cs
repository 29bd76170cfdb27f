namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Facts about a file, symbolic links followed: <see cref="File.Exists"/> also says true for a link that leads nowhere. The file is not
/// opened, so others may hold it locked.
/// </summary>
internal static class FileOnDisk
{
    public static bool Exists(string path) => Length(path) is not null;

    /// <summary>Length in bytes, or null where there is no file.</summary>
    public static long? Length(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (file.Exists && file.LinkTarget is not null)
                file = (FileInfo)file.ResolveLinkTarget(returnFinalTarget: true)!;
            return file.Exists ? file.Length : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // removed since
        }
    }
}
