namespace MLTransfer.Torch.Metrics;

/// <summary>How much of generated token sequences stands in training texts word for word.</summary>
/// <param name="NgramCount">The runs of n tokens that were generated, each place counted.</param>
/// <param name="CopiedNgramCount">Those of them that a training text holds.</param>
/// <param name="Spans">
/// The copied spans of n tokens or more, as long as they can be made, in the order of what was generated.
/// </param>
public sealed record CopiedTokens(long NgramCount, long CopiedNgramCount, IReadOnlyList<CopiedTokenSpan> Spans)
{
    /// <summary>Compares.</summary>
    /// <param name="training">The token ids of each training text.</param>
    /// <param name="generated">The token ids of each generated text, without its prompt.</param>
    /// <param name="ngramLength">n, 1 or more.</param>
    /// <param name="cancellationToken">Checked between two generated texts.</param>
    /// <remarks>
    /// The time grows with the training tokens times their logarithm, the memory with the training tokens: eight bytes each. A span never
    /// goes over the border between two training texts.
    /// </remarks>
    public static CopiedTokens Find(
        IReadOnlyList<IReadOnlyList<int>> training, IReadOnlyList<IReadOnlyList<int>> generated, int ngramLength,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentOutOfRangeException.ThrowIfLessThan(ngramLength, 1);
        var index = new TokenIndex(training, generated.Count == 0 ? 0 : generated.Max(text => text.Count));
        long all = 0, copied = 0;
        var spans = new List<CopiedTokenSpan>();
        foreach (var (number, text) in generated.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[] tokens = [.. text];
            var end = 0; // of the last span
            for (var start = 0; start <= tokens.Length - ngramLength; start++)
            {
                all++;
                var (length, row, position) = index.Find(tokens.AsSpan(start));
                if (length < ngramLength)
                    continue;
                copied++;
                if (start + length <= end)
                    continue; // lies in the last span
                spans.Add(new CopiedTokenSpan(number, start, length, row, position));
                end = start + length;
            }
        }

        return new CopiedTokens(all, copied, spans);
    }
}
