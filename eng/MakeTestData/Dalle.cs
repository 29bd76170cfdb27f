namespace MakeTestData;

/// <summary>Folders of <c>tests/data/images</c>: DALL-E transformers, and what the reference stack makes of them and trains.</summary>
internal static class Dalle
{
    private static readonly string[] s_all =
        ["dalle-transformer-tiny", "dalle-transformer-rotary-tiny", "dalle-transformer-reversible-tiny"];

    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in s_all)
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/images/{name}");
    }
}
