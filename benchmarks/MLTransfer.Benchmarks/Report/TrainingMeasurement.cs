using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The times of a variant's training steps.</summary>
internal sealed record TrainingMeasurement(
    BenchmarkedModel Model, TrainingVariant Variant, TrainingShape Shape, Spread StepSeconds, double FirstLoss)
{
    public double TokensPerSecond => Shape.Tokens / StepSeconds.Median;

    /// <summary>Null where a step leaves out a part of the operations that are counted.</summary>
    public double? Gigaflops => Variant.TrainsAllWeights ? Model.Size.TrainingOperations(Shape) / StepSeconds.Median / 1e9 : null;
}
