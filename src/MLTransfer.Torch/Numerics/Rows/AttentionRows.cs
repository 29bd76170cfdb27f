namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>What rows of queries see of the cached positions, and what becomes of query times key before the softmax.</summary>
internal readonly ref struct AttentionRows
{
    /// <summary>[rows]: the first position that a row sees.</summary>
    public required ReadOnlySpan<int> Starts { get; init; }

    /// <summary>[rows]: the position behind the last one that a row sees; empty where all rows see up to the last filled one.</summary>
    public ReadOnlySpan<int> Ends { get; init; }

    /// <summary>What query times key is multiplied with.</summary>
    public required float Scale { get; init; }

    /// <summary>Scaled scores become cap * tanh(score / cap) (Gemma 2, arXiv 2408.00118); 0 for no cap.</summary>
    public float SoftCap { get; init; }

    /// <summary>
    /// What is added to scores last: [heads, positions] for all rows or [rows, heads, positions], where the positions are the filled ones;
    /// empty for nothing.
    /// </summary>
    public ReadOnlySpan<float> Bias { get; init; }
}
