using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>How token ids become the hidden states that the first block reads: tables, projection, scale, positions and types, norm, in
/// this order.</summary>
/// <param name="Tables">The tables of token embeddings; of several streams of tokens each has one, and their vectors are added.</param>
/// <param name="Rows">The rows of a table.</param>
/// <param name="TableWidth">The width of a table's rows.</param>
/// <param name="Deviation">The standard deviation of new tables.</param>
internal sealed record Input(ImmutableArray<string> Tables, int Rows, int TableWidth, double Deviation)
{
    /// <summary>From <see cref="TableWidth"/> to the stack's width, where they differ.</summary>
    public Projection? Projection { get; init; }

    /// <summary>What token vectors are multiplied with.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Whether the scale is the table's own, so that what is added to its vectors in training is added to scaled ones.</summary>
    public bool HasScaledTable { get; init; }

    /// <summary>What is added for the place in the sequence; null where attention tells it.</summary>
    public Positions? Positions { get; init; }

    public TokenTypes? Types { get; init; }

    public Norm? Norm { get; init; }
}

/// <summary>A vector for the segment that a token belongs to.</summary>
/// <param name="Table">The table [rows, width].</param>
/// <param name="Rows">How many segments there can be; tokens are of the first where nobody says.</param>
/// <param name="Deviation">The standard deviation of a new table.</param>
internal sealed record TokenTypes(string Table, int Rows, double Deviation);

/// <summary>Vectors for places in the sequence.</summary>
internal abstract record Positions;

/// <summary>A table of them.</summary>
/// <param name="Table">The table [rows, width].</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Offset">The row of the first position; padding has the row before it, where it is not counted.</param>
/// <param name="Counting">What counts as a position.</param>
/// <param name="Deviation">The standard deviation of a new table.</param>
internal sealed record LearnedPositions(string Table, int Rows, int Offset, PositionCounting Counting, double Deviation) : Positions
{
    /// <summary>The token that <see cref="PositionCounting.Tokens"/> leaves out.</summary>
    public int? PaddingId { get; init; }
}

/// <summary>Sine and cosine of the position times falling frequencies, 10000^(-i / ...).</summary>
internal sealed record SinusoidalPositions(SinusoidOrder Order) : Positions;

/// <summary>What counts as a position.</summary>
internal enum PositionCounting
{
    /// <summary>Every column of the batch.</summary>
    Columns,

    /// <summary>Columns where the attention mask is 1 (OPT).</summary>
    Mask,

    /// <summary>Tokens other than padding (RoBERTa).</summary>
    Tokens,
}

/// <summary>Where sines and cosines lie in a vector of width w.</summary>
internal enum SinusoidOrder
{
    /// <summary>All cosines, then all sines; frequency i is 10000^(-i / (w/2 - 1)) (MusicGen).</summary>
    CosinesThenSines,

    /// <summary>Sine and cosine in turn; frequency i is 10000^(-2i / w) (arXiv 1706.03762).</summary>
    Interleaved,
}
