namespace MLTransfer.Torch.Metrics;

/// <summary>
/// How far two sets of features cover each other; see <see cref="FeatureManifolds"/>. All but <see cref="Density"/> are from 0 to 1.
/// </summary>
/// <param name="Neighbors">k: a row's ball reaches to its k-th nearest neighbour.</param>
/// <param name="Precision">The share of generated rows that lie in the ball of a real one: how good they are.</param>
/// <param name="Recall">The share of real rows that lie in the ball of a generated one: how much of the variety there is.</param>
/// <param name="Density">
/// In how many balls of real rows a generated one lies, divided by k: above 1 where generated rows crowd where real ones do.
/// </param>
/// <param name="Coverage">The share of real rows whose ball has a generated one in it.</param>
public sealed record ManifoldOverlap(int Neighbors, double Precision, double Recall, double Density, double Coverage);
