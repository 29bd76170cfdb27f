namespace MLTransfer;

/// <summary>How much of a model's texts stands in its training rows word for word.</summary>
/// <param name="NgramLength">n: the tokens in a row that count as copied.</param>
/// <param name="TextCount">How many texts were generated.</param>
/// <param name="NgramCount">The runs of n tokens in them, each place counted.</param>
/// <param name="CopiedNgramCount">Those of them that a training row holds.</param>
/// <param name="LongestSpan">The tokens of the longest copied span; 0 where none has n.</param>
/// <param name="Examples">The longest copied spans, longest first.</param>
public sealed record TextMemorization(
    int NgramLength, int TextCount, long NgramCount, long CopiedNgramCount, int LongestSpan, IReadOnlyList<CopiedText> Examples)
{
    /// <summary><see cref="CopiedNgramCount"/> divided by <see cref="NgramCount"/>; 0 where there are no such runs.</summary>
    public double CopiedShare => NgramCount == 0 ? 0 : (double)CopiedNgramCount / NgramCount;
}
