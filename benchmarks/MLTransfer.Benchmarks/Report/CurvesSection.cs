using MLTransfer.Benchmarks.Workloads;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures how speed and memory of training grow, each point in a process of its own.</summary>
internal static class CurvesSection
{
    private const int Steps = 3;

    public static IEnumerable<CurvePoint> Measure(BenchmarkedModel model, TrainingShape usual)
    {
        var done = new Dictionary<(TrainingShape, int), MemoryMeasurement>(); // the usual shape is a point of every curve
        var allThreads = get_num_threads();
        foreach (var batchSize in Doublings(Math.Max(1, usual.BatchSize / 4), 2 * usual.BatchSize))
            yield return Point(CurveAxis.BatchSize, batchSize, usual with { BatchSize = batchSize }, allThreads);
        foreach (var length in Doublings(Math.Max(2, usual.Length / 4), Math.Min(4 * usual.Length, model.Size.ContextLength)))
            yield return Point(CurveAxis.Length, length, usual with { Length = length }, allThreads);
        foreach (var threads in Doublings(1, allThreads))
            yield return Point(CurveAxis.Threads, threads, usual, threads);

        CurvePoint Point(CurveAxis axis, int value, TrainingShape shape, int threads)
        {
            if (!done.TryGetValue((shape, threads), out var measured))
                done[(shape, threads)] = measured = TrainingProcess.Run(model, TrainingVariant.BFloat16, shape, Steps, threads);
            return new CurvePoint(axis, value, measured);
        }
    }

    /// <summary>The first value, its doublings below the last one, and the last.</summary>
    private static IEnumerable<int> Doublings(int first, int last)
    {
        for (var value = first; value < last; value *= 2)
            yield return value;
        yield return last;
    }
}
