using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>How texts become rows of token ids, to train on and to evaluate with alike; part of a saved model.</summary>
internal sealed record TextRowForm
{
    /// <summary>Which texts share a row. Not those of an encoder and its decoder, which may be joined.</summary>
    public RowPacking Packing { get; init; } = RowPacking.Packed;

    /// <summary>The most tokens of a row, or of both rows of an encoder and its decoder; null for what is usual for the network.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>Whether the end-of-sequence token follows every text; null where texts stay apart and the tokenizer has one.</summary>
    public bool? AppendEndOfSequence { get; init; }

    /// <summary>The noise in whole texts of an encoder and its decoder; null for the family's.</summary>
    public TextNoiseOptions? Noise { get; init; }

    /// <summary>The most tokens of a row of a network.</summary>
    public int LengthOf(TransformerNetwork network) => MaximumLength ?? network.UsualRowLength;

    /// <summary>The rows, before noise where there is some.</summary>
    public IReadOnlyList<TrainingExample> RowsOf(TrainingTexts texts, TextTokenizer tokenizer, TransformerNetwork network) =>
        network is EncoderDecoderModel model
            ? new EncoderDecoderRows(tokenizer, model, LengthOf(model)).Of(texts, Packing == RowPacking.Concatenated, EndOf(tokenizer))
            : texts.ToExamples(Packing, LengthOf(network), EndOf(tokenizer));

    /// <summary>The noise that makes rows of whole texts; null where rows are read as they are.</summary>
    /// <exception cref="ArgumentException">There is no noise for the network, or it needs a token that the tokenizer has not.</exception>
    public RowCorruption? NoiseOf(TrainingTexts texts, TextTokenizer tokenizer, TransformerNetwork network) =>
        network is EncoderDecoderModel model && texts.AreWhole
            ? Denoising.Of(model, tokenizer, Noise?.NoiseDensity, Noise?.MeanSpanLength)
            : null;

    /// <summary>How many texts are longer than a row.</summary>
    public long CountCut(TrainingTexts texts, TextTokenizer tokenizer, TransformerNetwork network) =>
        network is EncoderDecoderModel model
            ? new EncoderDecoderRows(tokenizer, model, LengthOf(model)).CountCut(texts, Packing == RowPacking.Concatenated)
            : texts.CountCut(Packing, LengthOf(network), EndOf(tokenizer));

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        OptionCheck.Defined(nameof(Packing), Packing);
        if (MaximumLength is { } length)
            OptionCheck.AtLeast(nameof(MaximumLength), length, 2);
        Noise?.Check();
    }

    /// <summary>Checks whether there is the token that shall follow every text.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="name">What the message calls the model.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public void CheckEnd(TextTokenizer tokenizer, string name)
    {
        if (AppendEndOfSequence == true && tokenizer.TextEndId is null)
        {
            throw new ArgumentException(
                $"{nameof(AppendEndOfSequence)} is true, but the tokenizer of '{name}' has no end-of-sequence token.");
        }
    }

    /// <summary>The token that follows every text; null for none.</summary>
    public int? EndOf(TextTokenizer tokenizer) =>
        AppendEndOfSequence ?? Packing != RowPacking.Concatenated ? tokenizer.TextEndId : null;
}
