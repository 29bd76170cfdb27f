namespace MakeTestData;

/// <summary>GGUF files of the reference's package, what they hold, and blocks of the number formats.</summary>
internal static class GgufReferences
{
    public static void Copy(string goldens, TargetFolder target)
    {
        var training = Path.Combine(goldens, "training");
        target.CopyArchive(Path.Combine(training, "gguf"), "tests/data/gguf/references.zip");
        foreach (var name in (string[])
            ["quantization.json", "quantization.safetensors", "quantization.nf4_a.safetensors", "quantization.nf4_b.safetensors"])
            target.Copy(Path.Combine(training, name), $"tests/data/gguf/{name}");
    }
}
