namespace MLTransfer.Torch.Training.Language;

/// <summary>One row that a model is trained on or evaluated with.</summary>
/// <param name="InputIds">Token ids.</param>
/// <param name="Labels">For each position the id that it should hold, or <see cref="Ignored"/> where the loss leaves it out. Not
/// shifted.</param>
/// <param name="SequenceIds">The packed sequence that each position belongs to, or null where the row is one sequence.</param>
public sealed record TrainingExample(int[] InputIds, int[] Labels, int[]? SequenceIds = null)
{
    /// <summary>The label of a position that the loss leaves out.</summary>
    public const int Ignored = -100;

    /// <summary>
    /// What the encoder reads, in networks that have an encoder and a decoder: token ids. <see cref="InputIds"/> and <see cref="Labels"/>
    /// are the decoder's then, which begin with its start token. Null in other networks.
    /// </summary>
    public int[]? EncoderIds { get; init; }

    /// <summary>
    /// Whether a label is predicted where it stands, as masked tokens are by networks that see a text from both sides; else it is predicted
    /// from the position before.
    /// </summary>
    public bool PredictsInPlace { get; init; }

    /// <summary>The tokens that the network reads.</summary>
    public int TokenCount => InputIds.Length + (EncoderIds?.Length ?? 0);

    /// <summary>How many labels count.</summary>
    public int LabelCount => Labels.Length - Labels.AsSpan().Count(Ignored);

    /// <summary>How many tokens the loss predicts: labels that count, less the first position where nothing predicts it.</summary>
    public int PredictedTokens => LabelCount - (Labels is [not Ignored, ..] && !PredictsInPlace ? 1 : 0);
}
