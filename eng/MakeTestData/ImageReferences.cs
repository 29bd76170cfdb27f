namespace MakeTestData;

/// <summary>The folders of <c>tests/data/images</c>: metrics of pictures, and a projection, as the reference stack computes them.</summary>
internal static class ImageReferences
{
    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in (string[])["image-metrics", "stylegan2-projection-tiny"])
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/images/{name}");
    }
}
