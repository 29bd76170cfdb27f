using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>How much is measured.</summary>
/// <param name="Rounds">Repetitions of everything that runs interleaved.</param>
/// <param name="StepOperations">About how many floating-point operations the measured training steps of a round have.</param>
/// <param name="NewTokens">Tokens that decoding adds to a prompt.</param>
/// <param name="MemoryOperations">About how many floating-point operations the training steps of a measurement of memory have.</param>
/// <param name="HasCurves">Whether scaling curves are measured.</param>
internal sealed record ReportPlan(int Rounds, double StepOperations, int NewTokens, double MemoryOperations, bool HasCurves)
{
    public const int Length = 256;
    public const int PromptLength = 16;
    public const int DecodingBatch = 8;

    public static ReportPlan Full { get; } = new(Rounds: 3, StepOperations: 1e12, NewTokens: 128, MemoryOperations: 3e12, HasCurves: true);

    public static ReportPlan Quick { get; } =
        new(Rounds: 1, StepOperations: 0.5e12, NewTokens: 32, MemoryOperations: 0.5e12, HasCurves: false);

    /// <summary>Steps of a round after the first, which is not counted: it allocates.</summary>
    public int MeasuredSteps(BenchmarkedModel model, TrainingShape shape) =>
        (int)Math.Clamp(StepOperations / model.Size.TrainingOperations(shape), 1, 10);

    /// <summary>At least two: only the second step has gradients and the running means of the optimizer from its start.</summary>
    public int MemorySteps(BenchmarkedModel model, TrainingShape shape) =>
        (int)Math.Clamp(MemoryOperations / model.Size.TrainingOperations(shape), 2, 30);
}
