using MLTransfer.Torch.Memory;

namespace MLTransfer.Onnx.Generation;

/// <summary>A file of a graph or of its weights, as it was when it was loaded.</summary>
/// <param name="FullName">The full path.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="LastWriteTime">When it was written, in UTC.</param>
internal sealed record GraphFile(string FullName, long Length, DateTime LastWriteTime)
{
    /// <summary>The name in its folder.</summary>
    public string Name => Path.GetFileName(FullName);

    /// <exception cref="InvalidDataException">It is empty, or it is a device or a pipe.</exception>
    public static GraphFile Of(string path)
    {
        FileOnDisk.RefuseAllButContent(path); // ONNX Runtime opens it
        var file = new FileInfo(path);
        return new GraphFile(file.FullName, file.Length, file.LastWriteTimeUtc);
    }

    /// <summary>Opens the file for reading.</summary>
    /// <exception cref="IOException">It is gone, or another one by now.</exception>
    public FileStream Open()
    {
        var stream = FileOnDisk.OpenRead(FullName);
        if (Of(FullName) == this)
            return stream;
        stream.Dispose();
        throw new IOException($"'{FullName}' was changed after it was loaded. Load the export again before saving it.");
    }
}
