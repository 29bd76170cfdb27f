using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures how speed and memory of training grow, each point in a process of its own.</summary>
internal static class CurvesSection
{
    private const int Steps = 3;

    public static IEnumerable<CurvePoint> Measure(BenchmarkedModel model, TrainingShape usual)
    {
        var variant = TrainingVariant.BFloat16;
        foreach (var batchSize in Doublings(Math.Max(1, usual.BatchSize / 4), 2 * usual.BatchSize))
            yield return new(CurveAxis.BatchSize, batchSize, TrainingProcess.Run(model, variant, usual with { BatchSize = batchSize }, Steps));
        foreach (var length in Doublings(Math.Max(2, usual.Length / 4), Math.Min(4 * usual.Length, model.Size.ContextLength)))
            yield return new(CurveAxis.Length, length, TrainingProcess.Run(model, variant, usual with { Length = length }, Steps));
        foreach (var threads in Doublings(1, Environment.ProcessorCount))
            yield return new(CurveAxis.Threads, threads, TrainingProcess.Run(model, variant, usual, Steps, threads));
    }

    /// <summary>The first value, its doublings below the last one, and the last.</summary>
    private static IEnumerable<int> Doublings(int first, int last)
    {
        for (var value = first; value < last; value *= 2)
            yield return value;
        yield return last;
    }
}
