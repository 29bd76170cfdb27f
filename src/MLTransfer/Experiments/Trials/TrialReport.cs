namespace MLTransfer.Experiments;

/// <summary>A loss that a trial had while it was under way.</summary>
/// <param name="Step">How far it was: evaluations, epochs or whatever its runner counts, from 1 on.</param>
/// <param name="Loss">Smaller is better.</param>
public readonly record struct TrialReport(int Step, double Loss);
