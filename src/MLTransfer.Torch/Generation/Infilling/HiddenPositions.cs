using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Draws which tokens of a sequence are hidden. Special tokens never are.</summary>
internal static class HiddenPositions
{
    /// <summary>All tokens of a share of the words, rounded, of one word or more.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="words">Where words begin.</param>
    /// <param name="share">Of the words, 0 to 1.</param>
    /// <param name="draws">The random numbers.</param>
    /// <returns>Positions in order; none where all tokens are special.</returns>
    public static List<int> OfWords(ReadOnlySpan<int> ids, WordBoundaries words, double share, ref SplitMix64 draws)
    {
        var all = words.WordsOf(ids);
        var count = Math.Max(1, (int)Math.Round(share * all.Count));
        return [.. draws.Permutation(all.Count).Take(count).SelectMany(index => PositionsOf(all[index])).Order()];
    }

    /// <summary>
    /// A share of the tokens, rounded, one or more; of whole words as many as do not go beyond it, but one in any case.
    /// </summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="words">Where words begin.</param>
    /// <param name="share">Of the tokens that are not special, 0 to 1.</param>
    /// <param name="wholeWords">Whether all tokens of a word are hidden or none.</param>
    /// <param name="draws">The random numbers.</param>
    /// <returns>Positions in the order of drawing; none where all tokens are special.</returns>
    public static List<int> OfTokens(
        ReadOnlySpan<int> ids, WordBoundaries words, double share, bool wholeWords, ref SplitMix64 draws)
    {
        var all = words.WordsOf(ids);
        if (!wholeWords)
            all = [.. all.SelectMany(PositionsOf).Select(position => position..(position + 1))];
        var wanted = Math.Max(1, (int)Math.Round(share * all.Sum(LengthOf)));
        var chosen = new List<int>(wanted);
        foreach (var index in draws.Permutation(all.Count))
        {
            if (chosen.Count > 0 && chosen.Count + LengthOf(all[index]) > wanted)
                continue;
            chosen.AddRange(PositionsOf(all[index]));
            if (chosen.Count >= wanted)
                break;
        }

        return chosen;
    }

    private static IEnumerable<int> PositionsOf(Range word) => Enumerable.Range(word.Start.Value, LengthOf(word));

    private static int LengthOf(Range word) => word.End.Value - word.Start.Value;
}
