using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Where a layer stands and what it is given, so that what does not fit can be said.</summary>
/// <param name="Layer">The layer, as messages name it.</param>
/// <param name="Before">What its input comes from, as messages name it.</param>
/// <param name="Shape">The input's extents without the batch.</param>
internal sealed record LayerPlace(string Layer, string Before, long[] Shape)
{
    public ArgumentException Mismatch(string expected, string remedy) =>
        new($"Shape mismatch: {Layer} expects {expected}, but {Before} gives {TensorShape.Describe(Shape)}. {remedy}");

    /// <summary>Channels, height and width of a picture.</summary>
    public (long Channels, long Height, long Width) Picture() => Shape is [var channels, var height, var width]
        ? (channels, height, width)
        : throw Mismatch("[channels, height, width]", $"Put {nameof(Described.Layer)}.{nameof(Described.Layer.Reshape)} between them.");

    /// <summary>The shape of what pooling makes of a picture: one element for each whole window.</summary>
    public long[] Windows(HeightWidth size, HeightWidth stride, HeightWidth padding)
    {
        var (channels, height, width) = Picture();
        return
        [
            channels, Count(height, size.Height, stride.Height, padding.Height), Count(width, size.Width, stride.Width, padding.Width),
        ];

        long Count(long extent, long window, long step, long border) => extent + 2 * border >= window
            ? (extent + 2 * border - window) / step + 1
            : throw Mismatch($"at least {window} rows and columns", "Use smaller windows.");
    }

    /// <exception cref="ArgumentException">Channels cannot be split so.</exception>
    public void CheckGroups(long channels, int groups)
    {
        if (channels % groups != 0)
            throw Mismatch($"a multiple of its {groups} groups as channels", "Use other groups.");
    }
}
