namespace MakeTestData;

/// <summary>Folders of <c>tests/data/images</c>: discrete VAEs, and what the reference stack makes of them and trains.</summary>
internal static class DiscreteVaes
{
    private static readonly string[] s_all = ["dalle-dvae-tiny", "discrete-vae-tiny", "dvae-training-tiny"];

    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in s_all)
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/images/{name}");
    }
}
