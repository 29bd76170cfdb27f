namespace MLTransfer.Benchmarks.Report;

/// <summary>A part of a training step.</summary>
/// <param name="Model">What was trained, in bfloat16.</param>
/// <param name="Part">What is done.</param>
/// <param name="Seconds">The times of repetitions.</param>
/// <param name="Gigaflops">A second, at the median, of matrix products; null where there are none.</param>
/// <param name="ShareOfPeak">Of the matrix product's peak.</param>
internal sealed record StepPart(string Model, string Part, Spread Seconds, double? Gigaflops, double? ShareOfPeak);
