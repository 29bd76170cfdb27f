namespace MakeTestData;

/// <summary>
/// The files of <c>tests/data/training</c> on optimizers, schedules, regularizers and preference tuning: what the reference stack's do
/// step by step.
/// </summary>
internal static class Training
{
    private static readonly string[] s_all =
    [
        "optimizers.json", "optimizers.final.safetensors", "regularizers.json", "regularizers.safetensors", "schedules.json", "dpo.json",
        "dpo.final.safetensors", "dpo_start/adapter_config.json", "dpo_start/adapter_model.safetensors",
    ];

    public static void Copy(string goldens, TargetFolder target)
    {
        foreach (var name in s_all)
            target.Copy(Path.Combine(goldens, "training", name), $"tests/data/training/{name}");
    }
}
