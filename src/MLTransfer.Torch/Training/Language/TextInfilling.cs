using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// BART's noise (Lewis et al. 2019, arXiv 1910.13461, "text infilling"): one mask token stands for each of some spans of a text, and where
/// a span has no tokens a mask token stands where nothing is missing. The network writes the whole text.
/// </summary>
/// <remarks>
/// Of n tokens n x <see cref="NoiseDensity"/> are left out, rounded, at least one. Lengths of spans are drawn from a Poisson distribution
/// until there are so many tokens; the last span is cut to that. Spans have a token between them, and there are no more of them than
/// tokens are left out, so that what is read is never longer than the text.
/// </remarks>
public sealed record TextInfilling : RowCorruption
{
    private readonly int _mask;
    private readonly int[] _leading;
    private readonly int[] _trailing;
    private readonly int _start;

    /// <param name="tokenizer">Tells the mask token, and what it puts around a text.</param>
    /// <param name="decoderStartTokenId">What the decoder begins with.</param>
    /// <exception cref="ArgumentException">The tokenizer has no mask token.</exception>
    public TextInfilling(TextTokenizer tokenizer, int decoderStartTokenId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_leading, _trailing, _start) = ([.. tokenizer.LeadingIds], [.. tokenizer.TrailingIds], decoderStartTokenId);
        _mask = tokenizer.MaskId ?? throw new ArgumentException(
            "The tokenizer has no mask token (mask_token), which stands for what is left out of a text. Train on prompts and completions.",
            nameof(tokenizer));
    }

    /// <summary>The share of a text's tokens that are left out, more than 0 and at most 1.</summary>
    public double NoiseDensity { get; init; } = 0.3;

    /// <summary>The mean length of spans in tokens before they are cut, more than 0.</summary>
    public double MeanSpanLength { get; init; } = 3;

    /// <summary>The tokens of the tokenizer, so that a run is known by them.</summary>
    [JsonInclude]
    internal int[] Tokens => [_start, _mask, .. _leading, .. _trailing];

    /// <inheritdoc/>
    internal override TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws)
    {
        Check();
        ReadOnlySpan<int> text = row.InputIds;
        if (text.IsEmpty)
            return null;
        var noise = Math.Clamp((int)Math.Round(text.Length * NoiseDensity), 1, text.Length);
        var kept = text.Length - noise;
        var lengths = SpanLengths(noise, Math.Min(noise, kept + 1), ref draws);
        var spans = draws.Permutation(kept + 1).Take(lengths.Count).Zip(lengths).ToDictionary(); // by the kept tokens before them

        List<int> read = [.. _leading];
        var position = 0;
        for (var before = 0; before <= kept; before++)
        {
            if (spans.TryGetValue(before, out var length))
            {
                read.Add(_mask);
                position += length;
            }

            if (before < kept)
                read.Add(text[position++]);
        }

        return TrainingExamples.Answer([.. read, .. _trailing], [.. _leading, .. text, .. _trailing], _start);
    }

    private List<int> SpanLengths(int noise, int most, ref SplitMix64 draws)
    {
        var lengths = new List<int>();
        while (noise > 0)
        {
            var length = lengths.Count == most - 1 ? noise : Math.Min(noise, Poisson(MeanSpanLength, ref draws));
            lengths.Add(length);
            noise -= length;
        }

        return lengths;
    }

    /// <summary>As many uniform factors as keep a product above exp(-mean) (Knuth, The Art of Computer Programming 3.4.1).</summary>
    private static int Poisson(double mean, ref SplitMix64 draws)
    {
        var (limit, product, count) = (Math.Exp(-mean), draws.NextDouble(), 0);
        for (; product > limit; product *= draws.NextDouble())
            count++;
        return count;
    }

    private void Check()
    {
        OptionRange.Positive(nameof(NoiseDensity), NoiseDensity);
        OptionRange.Between(nameof(NoiseDensity), NoiseDensity, 0, 1);
        OptionRange.Positive(nameof(MeanSpanLength), MeanSpanLength);
        OptionRange.Between(nameof(MeanSpanLength), MeanSpanLength, 0, 100);
    }
}
