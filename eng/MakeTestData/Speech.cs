namespace MakeTestData;

/// <summary>The folders of networks that speak, which tests compare with whole.</summary>
internal static class Speech
{
    private static readonly string[] s_folders =
        ["vits-tiny-speakers", "vits-tiny-stochastic", "vits-training-stochastic-tiny", "vits-training-tiny"];

    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in s_folders)
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/speech/{name}");
    }
}
