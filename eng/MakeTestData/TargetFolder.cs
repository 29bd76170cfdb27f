namespace MakeTestData;

/// <summary>The repository that files are written into, or compared with.</summary>
/// <param name="root">The repository's folder.</param>
/// <param name="check">Write nothing.</param>
internal sealed class TargetFolder(string root, bool check)
{
    private readonly List<string> _different = [];

    /// <summary>How many files there were.</summary>
    public int Files { get; private set; }

    /// <summary>Those that are not there, or have other bytes.</summary>
    public IReadOnlyList<string> Different => _different;

    public void Copy(string source, string relativePath) => Write(relativePath, File.ReadAllBytes(source));

    /// <summary>Copies a folder with the folders in it.</summary>
    public void CopyFolder(string source, string relativePath)
    {
        foreach (var path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            Copy(path, $"{relativePath}/{Path.GetRelativePath(source, path).Replace('\\', '/')}");
    }

    public void Write(string relativePath, byte[] bytes)
    {
        Files++;
        var path = Path.Combine(root, relativePath);
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            return;
        _different.Add(relativePath);
        if (check)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }
}
