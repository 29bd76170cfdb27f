namespace MakeTestData;

/// <summary>The folders of <c>tests/data/images</c> that DALL-E mini and its codec are compared with.</summary>
internal static class DalleMini
{
    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in (string[])["min-dalle-tiny", "vqgan-tiny"])
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/images/{name}");
    }
}
