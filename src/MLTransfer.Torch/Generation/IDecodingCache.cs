namespace MLTransfer.Torch.Generation;

/// <summary>
/// The past key values of sequences that a network reads together. All end at the same position; those that are shorter are padded in
/// front. For one thread.
/// </summary>
internal interface IDecodingCache : IDisposable
{
    /// <summary>The positions that are filled, padding included.</summary>
    int Length { get; }

    /// <summary>Reads tokens.</summary>
    /// <param name="inputIds">[rows, width], row-major; anything within the vocabulary where there is padding.</param>
    /// <param name="positionIds">[rows, width]: the position of each token in its sequence.</param>
    /// <param name="lengths">[rows]: how many of the <see cref="Length"/> + width positions at their end are the row's own, not
    /// padding.</param>
    /// <param name="logits">[rows, vocabulary]: takes the logits of the token that follows.</param>
    void Read(long[] inputIds, long[] positionIds, ReadOnlySpan<int> lengths, Span<float> logits);

    /// <summary>Replaces the rows by a selection of them.</summary>
    /// <param name="rows">For each new row the index of an old one.</param>
    /// <param name="droppedPositions">How many of the first positions all rows lose, as padding that none needs any more.</param>
    void SelectRows(ReadOnlySpan<int> rows, int droppedPositions);

    /// <summary>Overwrites the last positions of some rows with all positions of another cache's rows.</summary>
    /// <param name="rows">For each row of <paramref name="source"/> the index of the one that is overwritten here.</param>
    /// <param name="source">A cache of the same network with at most <see cref="Length"/> positions.</param>
    void OverwriteEnd(ReadOnlySpan<int> rows, IDecodingCache source);

    /// <summary>Forgets all positions; the rows stay.</summary>
    void Clear();
}
