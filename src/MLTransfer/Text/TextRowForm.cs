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
    public IReadOnlyList<TrainingExample> RowsOf(TrainingTexts texts, TextGenerationModel model) => texts.ToExamples(
        Packing, MaximumLength ?? model.Network.ContextLength,
        AppendEndOfSequence ?? Packing != RowPacking.Concatenated ? model.Tokenizer.EndOfSequenceId : null);

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        OptionCheck.Defined(nameof(Packing), Packing);
        if (MaximumLength is { } length)
            OptionCheck.AtLeast(nameof(MaximumLength), length, 2);
    }
}
