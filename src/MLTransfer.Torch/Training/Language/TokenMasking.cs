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
/// Of each row <see cref="MaskingOptions.Share"/> of the tokens that are not special is chosen, rounded, at least one. Most of the chosen
/// ones become the mask token; <see cref="MaskingOptions.RandomShare"/> of them any token that is not special, and
/// <see cref="MaskingOptions.KeptShare"/> stay, so that the network has to know every token by those around it. The chosen tokens alone
/// count in the loss.
/// </remarks>
public sealed record TokenMasking : RowCorruption
{
    private readonly TextTokenizer _tokenizer;
    private readonly int _maskId;
    private readonly int[] _ordinary; // the tokens that a random one is drawn from

    /// <param name="tokenizer">Tells the mask token, special tokens and words.</param>
    /// <param name="options">Which tokens are hidden; null for defaults.</param>
    /// <exception cref="ArgumentException">
    /// The tokenizer has no mask token, or no token but special ones, or an option is outside its range.
    /// </exception>
    public TokenMasking(TextTokenizer tokenizer, MaskingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        Options = options ?? new MaskingOptions();
        Options.Check();
        (_tokenizer, _maskId) = (tokenizer, tokenizer.RequiredMaskId());
        _ordinary =
        [
            .. Enumerable.Range(0, tokenizer.VocabularySize)
                .Where(id => tokenizer.HasToken(id) && !tokenizer.SpecialTokenIds.Contains(id)),
        ];
        if (_ordinary.Length == 0)
            throw new ArgumentException("The tokenizer has no token but special ones.", nameof(tokenizer));
    }

    /// <summary>Which tokens are hidden.</summary>
    public MaskingOptions Options { get; }

    /// <summary>The tokens of the tokenizer, so that a run is known by them.</summary>
    [JsonInclude]
    internal int[] Tokens => [_maskId, _ordinary.Length];

    /// <inheritdoc/>
    internal override TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws)
    {
        var chosen = HiddenPositions.OfTokens(row.InputIds, _tokenizer.Words, Options.Share, Options.WholeWords, ref draws);
        if (chosen.Count == 0)
            return null;
        var ids = (int[])row.InputIds.Clone();
        var labels = new int[ids.Length];
        Array.Fill(labels, TrainingExample.Ignored);
        foreach (var position in chosen)
        {
            labels[position] = ids[position];
            var kind = draws.NextDouble();
            if (kind < 1 - Options.RandomShare - Options.KeptShare)
                ids[position] = _maskId;
            else if (kind < 1 - Options.KeptShare)
                ids[position] = _ordinary[(int)(draws.NextDouble() * _ordinary.Length)];
        }

        return new TrainingExample(ids, labels, row.SequenceIds) { PredictsInPlace = true };
    }
}
