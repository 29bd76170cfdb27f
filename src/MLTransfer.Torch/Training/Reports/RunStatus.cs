namespace MLTransfer.Torch.Training.Reports;

/// <summary>How far a run is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps in all.</param>
/// <param name="Elapsed">Since the start of this process's part.</param>
/// <param name="Remaining">An estimate of the time left; null before the first step.</param>
/// <param name="End">How it ended; null while it goes on.</param>
internal sealed record RunStatus(int Step, int TotalSteps, TimeSpan Elapsed, TimeSpan? Remaining, string? End = null);
