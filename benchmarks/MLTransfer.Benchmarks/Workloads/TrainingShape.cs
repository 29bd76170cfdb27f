namespace MLTransfer.Benchmarks.Workloads;

/// <summary>The tokens of one training step: rows of equal length.</summary>
internal sealed record TrainingShape(int BatchSize, int Length)
{
    public int Tokens => BatchSize * Length;
}
