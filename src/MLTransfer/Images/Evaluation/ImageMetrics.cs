using MLTransfer.Torch.Metrics;

namespace MLTransfer;

/// <summary>How far generated pictures are from real ones. Comparable over the same features and about as many pictures alone.</summary>
/// <param name="RealCount">The real pictures.</param>
/// <param name="GeneratedCount">The generated ones.</param>
public sealed record ImageMetrics(int RealCount, int GeneratedCount)
{
    /// <summary>In the square of the features' unit; see <see cref="FeatureDistances.FrechetDistance"/>.</summary>
    public required double FrechetDistance { get; init; }

    /// <summary>Over all pictures; see <see cref="FeatureDistances.KernelDistance"/>.</summary>
    public required double KernelDistance { get; init; }

    /// <summary>Over subsets; null where none were asked for.</summary>
    public SubsetDistance? KernelSubsets { get; init; }

    /// <inheritdoc cref="ManifoldOverlap" path="/param[@name='Precision']"/>
    public required double Precision { get; init; }

    /// <inheritdoc cref="ManifoldOverlap" path="/param[@name='Recall']"/>
    public required double Recall { get; init; }

    /// <inheritdoc cref="ManifoldOverlap" path="/param[@name='Density']"/>
    public required double Density { get; init; }

    /// <inheritdoc cref="ManifoldOverlap" path="/param[@name='Coverage']"/>
    public required double Coverage { get; init; }

    /// <summary>How well generated pictures fit their captions; null where there are no captions.</summary>
    public CaptionScores? Captions { get; init; }
}
