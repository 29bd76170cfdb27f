namespace MLTransfer.Torch.Memory;

/// <summary>
/// Facts about a file and its content, symbolic links followed: <see cref="File.Exists"/> also says true for a link that leads nowhere, and
/// for a device or a pipe, whose reading may never end.
/// </summary>
internal static class FileOnDisk
{
    public static bool Exists(string path) => Length(path) is not null;

    /// <summary>
    /// Length in bytes, or null where there is no file. The file is not opened, so others may hold it locked, and it may be a pipe.
    /// </summary>
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

    /// <summary>Opens a file for reading; others may put another one in its place meanwhile.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is empty, or it is a device or a pipe.</exception>
    public static FileStream OpenRead(string path)
    {
        RefuseAllButContent(path);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        if (stream.CanSeek)
            return stream;
        stream.Dispose();
        throw NoContent(path);
    }

    /// <summary>For what others open by its path.</summary>
    /// <exception cref="InvalidDataException">The file is empty, or it is a device or a pipe.</exception>
    public static void RefuseAllButContent(string path)
    {
        // Devices and pipes have no length. To open a pipe is to wait for somebody who writes into it.
        if (Length(path) == 0)
            throw NoContent(path);
    }

    private static InvalidDataException NoContent(string path) =>
        new($"'{path}' is empty, or it is no file but a device or a pipe, which are not read.");
}
