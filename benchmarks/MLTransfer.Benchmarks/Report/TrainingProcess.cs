using System.Globalization;
using System.Text.Json;
using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Runs <see cref="MemoryCommand"/> in a process of its own.</summary>
internal static class TrainingProcess
{
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static MemoryMeasurement Run(
        BenchmarkedModel model, TrainingVariant variant, TrainingShape shape, int steps, int? threads = null)
    {
        string[] arguments =
        [
            "memory", variant.Id, "--model", model.Id,
            "--batch-size", Text(shape.BatchSize), "--length", Text(shape.Length), "--steps", Text(steps),
            .. threads is { } count ? new[] { "--threads", Text(count) } : [],
        ];
        var output = BenchmarkProcess.Run(arguments);
        var measured = JsonSerializer.Deserialize<MemoryMeasurement>(output, ReportJson.OneLine)!;
        var what = $"{model.Name}, {variant.Name}, {shape.BatchSize} x {shape.Length}, threads: {measured.Threads}";
        Log.Say($"process of {what}: {measured.PeakBytes / 1e9:F2} GB, {measured.TokensPerSecond:F0} tokens/s");
        return measured;

        static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
    }
}
