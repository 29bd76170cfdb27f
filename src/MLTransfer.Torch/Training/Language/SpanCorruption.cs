using System.Globalization;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// T5's noise (Raffel et al. 2019, arXiv 1910.10683): spans of a text are left out, and the network writes them. In the text a sentinel
/// stands for each span, <c>&lt;extra_id_0&gt;</c> for the first; the target has each sentinel before its span, and one more at the end.
/// </summary>
/// <remarks>
/// Of n tokens n x <see cref="NoiseDensity"/> are left out, rounded, at least one and at most all but one. They make as many spans as
/// <see cref="MeanSpanLength"/> asks for, at least one, and no more than there are sentinels. Lengths of spans, and of what stays between
/// them, are drawn uniformly from all ways to divide the tokens; a text begins with what stays.
/// </remarks>
public sealed record SpanCorruption : RowCorruption
{
    private readonly int[] _sentinels;
    private readonly int[] _leading;
    private readonly int[] _trailing;
    private readonly int _start;

    /// <param name="tokenizer">Tells the sentinels, and what it puts around a text.</param>
    /// <param name="decoderStartTokenId">What the decoder begins with.</param>
    /// <exception cref="ArgumentException">The tokenizer has no sentinels.</exception>
    public SpanCorruption(TextTokenizer tokenizer, int decoderStartTokenId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_leading, _trailing, _start) = ([.. tokenizer.LeadingIds], [.. tokenizer.TrailingIds], decoderStartTokenId);
        _sentinels =
        [
            .. Enumerable.Range(0, int.MaxValue)
                .Select(number => tokenizer.TokenToId(string.Create(CultureInfo.InvariantCulture, $"<extra_id_{number}>")))
                .TakeWhile(id => id is not null).OfType<int>(),
        ];
        if (_sentinels.Length < 2)
        {
            throw new ArgumentException(
                "The tokenizer has no tokens <extra_id_0> and <extra_id_1>, which stand for spans that are left out of a text. Train on "
                + "prompts and completions.", nameof(tokenizer));
        }
    }

    /// <summary>The share of a text's tokens that are left out, more than 0 and at most 1.</summary>
    public double NoiseDensity { get; init; } = 0.15;

    /// <summary>The mean length of spans in tokens, at least 1.</summary>
    public double MeanSpanLength { get; init; } = 3;

    /// <summary>The tokens of the tokenizer, so that a run is known by them.</summary>
    [JsonInclude]
    internal int[] Tokens => [_start, _sentinels[0], _sentinels.Length, .. _leading, .. _trailing];

    /// <inheritdoc/>
    internal override TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws)
    {
        Check();
        ReadOnlySpan<int> text = row.InputIds;
        if (text.Length < 2)
            return null;
        var noise = Math.Clamp((int)Math.Round(text.Length * NoiseDensity), 1, text.Length - 1);
        var most = Math.Min(Math.Min(noise, text.Length - noise), _sentinels.Length - 1);
        var spans = Math.Clamp((int)Math.Round(noise / MeanSpanLength), 1, most);
        var left = Divide(noise, spans, ref draws);
        var kept = Divide(text.Length - noise, spans, ref draws);

        List<int> read = [.. _leading];
        List<int> written = [.. _leading];
        for (var span = 0; span < spans; span++)
        {
            read.AddRange(text[..kept[span]]);
            read.Add(_sentinels[span]);
            written.Add(_sentinels[span]);
            written.AddRange(text.Slice(kept[span], left[span]));
            text = text[(kept[span] + left[span])..];
        }

        written.Add(_sentinels[spans]);
        return TrainingExamples.Answer([.. read, .. _trailing], [.. written, .. _trailing], _start);
    }

    /// <summary>Numbers above 0 with a given sum: each way to write it is equally likely.</summary>
    private static int[] Divide(int sum, int count, ref SplitMix64 draws)
    {
        int[] ends = [.. draws.Permutation(sum - 1).Take(count - 1).Select(end => end + 1).Order(), sum];
        return [.. ends.Select((end, index) => index == 0 ? end : end - ends[index - 1])];
    }

    private void Check()
    {
        OptionRange.Positive(nameof(NoiseDensity), NoiseDensity);
        OptionRange.Between(nameof(NoiseDensity), NoiseDensity, 0, 1);
        OptionRange.Between(nameof(MeanSpanLength), MeanSpanLength, 1, 1000);
    }
}
