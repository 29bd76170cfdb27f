using MLTransfer.Torch.Metrics;

namespace MLTransfer;

/// <summary>How well pictures fit their captions, by an image-text model.</summary>
/// <param name="Rows">The scores in the order of the rows.</param>
public sealed record CaptionScores(IReadOnlyList<TextImageScore> Rows)
{
    /// <summary>The mean of <see cref="TextImageScore.Score"/>, from 0 to 100.</summary>
    public double MeanScore => Rows.Average(row => row.Score);

    /// <summary>The mean of <see cref="TextImageScore.WeightedScore"/>, from 0 to 2.5.</summary>
    public double MeanWeightedScore => Rows.Average(row => row.WeightedScore);
}
