namespace MLTransfer.Torch.Metrics;

/// <summary>A distance measured over several pairs of subsets.</summary>
/// <param name="Mean">The mean over the pairs.</param>
/// <param name="Deviation">The standard deviation of a pair from it (division by the number of pairs).</param>
public sealed record SubsetDistance(double Mean, double Deviation);
