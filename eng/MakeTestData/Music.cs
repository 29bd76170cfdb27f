namespace MakeTestData;

/// <summary>The folders of <c>tests/data/music</c>: tiny MusicGens, and what the reference stack makes of them.</summary>
internal static class Music
{
    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in (string[])["musicgen-small-tiny", "musicgen-stereo-tiny", "musicgen-tiny"])
        {
            var source = Path.Combine(goldens, name);
            foreach (var path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                .Where(path => Path.GetFileName(path) != "spiece.model"))
                target.Copy(path, $"tests/data/music/{name}/{Path.GetRelativePath(source, path).Replace('\\', '/')}");
        }
    }
}
