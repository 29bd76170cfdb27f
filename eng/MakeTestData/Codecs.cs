namespace MakeTestData;

/// <summary>The folders of <c>tests/data/codecs</c>: checkpoints of tiny codecs of sounds, and what the reference stack makes of
/// them.</summary>
internal static class Codecs
{
    private static readonly string[] s_all = ["encodec-24khz-tiny", "encodec-32khz-tiny", "encodec-48khz-tiny", "encodec-tiny"];

    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in s_all)
            target.CopyFolder(Path.Combine(goldens, name), $"tests/data/codecs/{name}");
    }
}
