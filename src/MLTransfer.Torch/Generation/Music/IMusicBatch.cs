namespace MLTransfer.Torch.Generation.Music;

/// <summary>Rows of codes that a network reads together, one column of each at a time. For one thread.</summary>
internal interface IMusicBatch : IDisposable
{
    /// <summary>The logits of a codebook's next code, [codes]. They may be changed, and are valid until the next column is read.</summary>
    Span<float> Logits(int row, int codebook);

    /// <summary>Begins anew with columns.</summary>
    /// <param name="columns">For each row [codebooks][columns], of one length.</param>
    /// <param name="capacity">The most columns that will be read, these included.</param>
    void Begin(IReadOnlyList<int[][]> columns, int capacity);

    /// <summary>Reads a column of each row.</summary>
    /// <param name="ids">[rows, codebooks].</param>
    void Read(ReadOnlySpan<int> ids);
}
