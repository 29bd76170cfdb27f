using System.IO.Compression;

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

    /// <summary>Copies a folder with the folders in it into one archive, whose contents count, not its bytes.</summary>
    public void CopyArchive(string source, string relativePath)
    {
        Files++;
        var contents = Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => (Name: Path.GetRelativePath(source, path).Replace('\\', '/'), Bytes: File.ReadAllBytes(path))).ToArray();
        var target = Path.Combine(root, relativePath);
        if (File.Exists(target) && HasContents(target, contents))
            return;
        _different.Add(relativePath);
        if (check)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using var archive = new ZipArchive(File.Create(target), ZipArchiveMode.Create);
        foreach (var (name, bytes) in contents)
        {
            var entry = archive.CreateEntry(name, CompressionLevel.SmallestSize);
            entry.LastWriteTime = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
            using var stream = entry.Open();
            stream.Write(bytes);
        }
    }

    private static bool HasContents(string path, (string Name, byte[] Bytes)[] contents)
    {
        using var archive = ZipFile.OpenRead(path);
        return archive.Entries.Count == contents.Length && contents.All(content =>
        {
            if (archive.GetEntry(content.Name) is not ZipArchiveEntry entry || entry.Length != content.Bytes.Length)
                return false;
            using var stream = entry.Open();
            var bytes = new byte[content.Bytes.Length];
            stream.ReadExactly(bytes);
            return bytes.AsSpan().SequenceEqual(content.Bytes);
        });
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
