using MLTransfer.Persistence;
using MLTransfer.Torch.Training.LatentProjection;

namespace MLTransfer.Images.LatentProjection;

/// <summary>What a saved projection consists of.</summary>
internal sealed record ImageProjectionManifest : ModelManifest
{
    public required ImageProjectionColumns Columns { get; init; }

    public required ProjectionOptions Projection { get; init; }

    public required int ProjectionBatchSize { get; init; }

    /// <summary>How pictures go to the network of features; null where there is none.</summary>
    public FeatureInput? Features { get; init; }

    public override void Check()
    {
        base.Check();
        Projection.Check();
        if (ProjectionBatchSize is < 1 or > 1 << 16)
            throw new ArgumentException($"its batch size is {ProjectionBatchSize}");
        if (string.IsNullOrWhiteSpace(Columns.Output) || string.IsNullOrWhiteSpace(Columns.Input))
            throw new ArgumentException("a column's name is blank");
    }

    /// <param name="Resolution">What pictures are resized to; null for as they are.</param>
    /// <param name="Black">What the network takes for black.</param>
    /// <param name="White">What the network takes for white.</param>
    internal sealed record FeatureInput(int? Resolution, double Black, double White);
}
