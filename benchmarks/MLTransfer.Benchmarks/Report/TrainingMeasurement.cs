using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The times of a variant's training steps.</summary>
internal sealed record TrainingMeasurement(
    BenchmarkedModel Model, TrainingVariant Variant, TrainingShape Shape, Spread StepSeconds, double FirstLoss)
{
    public double TokensPerSecond => Shape.Tokens / StepSeconds.Median;

    /// <summary>Null where a step does operations twice.</summary>
    public double? Gigaflops => Variant.Operations == TrainedOperations.Repeated ? null
        : Model.Size.TrainingOperations(Shape, Variant.Operations) / StepSeconds.Median / 1e9;
}
