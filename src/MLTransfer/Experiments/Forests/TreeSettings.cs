namespace MLTransfer.Experiments.Forests;

/// <summary>How trees are grown.</summary>
internal sealed record TreeSettings
{
    public int Trees { get; init; } = 10;

    /// <summary>The share of features that a split is looked for among; one at least.</summary>
    public double FeatureShare { get; init; } = 1;

    /// <summary>The most splits on the way to a leaf.</summary>
    public int Depth { get; init; } = int.MaxValue;

    /// <summary>The fewest rows of a node that is split.</summary>
    public int SplitRows { get; init; } = 2;

    /// <summary>The fewest rows on each side of a split.</summary>
    public int LeafRows { get; init; } = 1;

    /// <summary>Whether a border lies anywhere between two neighbours, or in the middle.</summary>
    public bool DrawsBorders { get; init; }

    /// <summary>Whether each tree is grown on rows drawn with repetition.</summary>
    public bool DrawsRows { get; init; } = true;
}
