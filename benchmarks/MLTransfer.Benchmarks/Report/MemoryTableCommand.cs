using System.Globalization;
using System.Text;
using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The memory of training by model size and method, as <c>docs/performance.md</c> shows it.</summary>
internal static class MemoryTableCommand
{
    private static readonly (string Model, string Variant, TrainingShape Shape)[] s_rows =
    [
        (BenchmarkedModel.Gpt2Id, "float32", new(4, 256)),
        (BenchmarkedModel.Gpt2Id, "bfloat16", new(4, 256)),
        (BenchmarkedModel.Gpt2Id, "lora-bfloat16", new(4, 256)),
        (BenchmarkedModel.SmolLm2Id, "bfloat16", new(4, 256)),
        (BenchmarkedModel.SmolLm2Id, "stored-lora-bfloat16", new(4, 256)),
        (BenchmarkedModel.Qwen3Id, "stored-lora-bfloat16", new(1, 256)),
        (BenchmarkedModel.Qwen3Id, "stored-lora-checkpointing-bfloat16", new(1, 512)),
        (BenchmarkedModel.Qwen2Id, "stored-lora-checkpointing-bfloat16", new(1, 512)),
    ];

    public static int Run(Arguments arguments)
    {
        var table = new StringBuilder();
        table.AppendLine("| model | method | rows x tokens | peak memory | a step |").AppendLine("| --- | --- | --- | --- | --- |");
        foreach (var (id, variantId, shape) in s_rows)
        {
            var (model, variant) = (BenchmarkedModel.Find(id), TrainingVariant.Find(variantId));
            var measured = TrainingProcess.Run(model, variant, shape, arguments.Steps, arguments.Threads);
            table.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"| {model.Name} | {variant.Name} | {shape.BatchSize} x {shape.Length} | {measured.PeakBytes / 1e9:F2} GB "
                + $"| {measured.StepSeconds.Median:F1} s |"));
        }

        var machine = Machine.Describe();
        Console.WriteLine($"{machine.Processor}, {machine.LogicalCores} cores, {machine.Runtime}, libtorch {machine.Libtorch}");
        Console.Write(table);
        return 0;
    }
}
