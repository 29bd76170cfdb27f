namespace MLTransfer.Torch.Metrics;

/// <summary>How far a generator's images are from real ones.</summary>
/// <param name="FrechetDistance">See <see cref="FeatureDistances.FrechetDistance"/>.</param>
/// <param name="KernelDistance">See <see cref="FeatureDistances.KernelDistance"/>.</param>
public sealed record ImageDistances(double FrechetDistance, double KernelDistance);
