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

    /// <summary>How many labels count.</summary>
    public int LabelCount => Labels.Length - Labels.AsSpan().Count(Ignored);

    /// <summary>How many tokens the loss predicts: labels that count, less the first position, which nothing predicts.</summary>
    public int PredictedTokens => LabelCount - (Labels is [not Ignored, ..] ? 1 : 0);
}
