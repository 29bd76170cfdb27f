using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>How texts become rows of token ids, to train on and to evaluate with alike; part of a saved model.</summary>
internal sealed record TextRowForm
{
    /// <summary>Which texts share a row.</summary>
    public RowPacking Packing { get; init; } = RowPacking.Packed;

    /// <summary>The most tokens of a row; null for the model's context length.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>Whether the end-of-sequence token follows every text; null where texts stay apart and the tokenizer has one.</summary>
    public bool? AppendEndOfSequence { get; init; }

    /// <summary>The rows.</summary>
    public IReadOnlyList<TrainingExample> RowsOf(TrainingTexts texts, TextGenerationModel model) =>
        RowsOf(texts, model.Tokenizer, model.Network.ContextLength);

    /// <summary>The rows.</summary>
    public IReadOnlyList<TrainingExample> RowsOf(TrainingTexts texts, TextTokenizer tokenizer, int contextLength) =>
        texts.ToExamples(Packing, MaximumLength ?? contextLength, EndOf(tokenizer));

    /// <summary>How many texts are longer than a row.</summary>
    public long CountCut(TrainingTexts texts, TextTokenizer tokenizer, int contextLength) =>
        texts.CountCut(Packing, MaximumLength ?? contextLength, EndOf(tokenizer));

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        OptionCheck.Defined(nameof(Packing), Packing);
        if (MaximumLength is { } length)
            OptionCheck.AtLeast(nameof(MaximumLength), length, 2);
    }

    private int? EndOf(TextTokenizer tokenizer) =>
        AppendEndOfSequence ?? Packing != RowPacking.Concatenated ? tokenizer.EndOfSequenceId : null;
}
