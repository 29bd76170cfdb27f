using System.Text.Json.Serialization;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Hides tokens that a network with an output head and sight to both sides learns to predict (Devlin et al. 2018, arXiv 1810.04805),
/// others in every epoch (Liu et al. 2019, arXiv 1907.11692).
/// </summary>
/// <remarks>
/// Of each row <see cref="Share"/> of the tokens that are not special is chosen, rounded, at least one. Most of the chosen ones become
/// the mask token; <see cref="RandomShare"/> of them any token that is not special, and <see cref="KeptShare"/> stay, so that the network
/// has to know every token by those around it. The chosen tokens alone count in the loss.
/// </remarks>
public sealed record TokenMasking : RowCorruption
{
    private readonly TextTokenizer _tokenizer;
    private readonly int _maskId;
    private readonly int[] _ordinary; // the tokens that a random one is drawn from

    /// <param name="tokenizer">Tells the mask token, special tokens and words.</param>
    /// <exception cref="ArgumentException">The tokenizer has no mask token, or no token but special ones.</exception>
    public TokenMasking(TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_tokenizer, _maskId) = (tokenizer, tokenizer.RequiredMaskId());
        _ordinary =
        [
            .. Enumerable.Range(0, tokenizer.VocabularySize)
                .Where(id => tokenizer.HasToken(id) && !tokenizer.SpecialTokenIds.Contains(id)),
        ];
        if (_ordinary.Length == 0)
            throw new ArgumentException("The tokenizer has no token but special ones.", nameof(tokenizer));
    }

    /// <summary>The share of a row's tokens that are chosen, more than 0 and at most 1.</summary>
    public double Share { get; init; } = 0.15;

    /// <summary>The share of the chosen tokens that become any token.</summary>
    public double RandomShare { get; init; } = 0.1;

    /// <summary>The share of the chosen tokens that stay as they are.</summary>
    public double KeptShare { get; init; } = 0.1;

    /// <summary>
    /// Whether words are chosen as a whole, as many as do not go beyond <see cref="Share"/>. By WordPiece's <c>##</c> a word has no
    /// punctuation; with tokens that carry the space before them (byte-level, SentencePiece) it is what stands between spaces.
    /// </summary>
    public bool WholeWords { get; init; }

    /// <summary>The tokens of the tokenizer, so that a run is known by them.</summary>
    [JsonInclude]
    internal int[] Tokens => [_maskId, _ordinary.Length];

    /// <inheritdoc/>
    internal override TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws)
    {
        Check();
        var chosen = HiddenPositions.OfTokens(row.InputIds, _tokenizer.Words, Share, WholeWords, ref draws);
        if (chosen.Count == 0)
            return null;
        var ids = (int[])row.InputIds.Clone();
        var labels = new int[ids.Length];
        Array.Fill(labels, TrainingExample.Ignored);
        foreach (var position in chosen)
        {
            labels[position] = ids[position];
            var kind = draws.NextDouble();
            if (kind < 1 - RandomShare - KeptShare)
                ids[position] = _maskId;
            else if (kind < 1 - KeptShare)
                ids[position] = _ordinary[(int)(draws.NextDouble() * _ordinary.Length)];
        }

        return new TrainingExample(ids, labels, row.SequenceIds) { PredictsInPlace = true };
    }

    private void Check()
    {
        OptionRange.Positive(nameof(Share), Share);
        OptionRange.Between(nameof(Share), Share, 0, 1);
        OptionRange.Between(nameof(RandomShare), RandomShare, 0, 1);
        OptionRange.Between(nameof(KeptShare), KeptShare, 0, 1 - RandomShare);
    }
}
