namespace MLTransfer.Torch.Training.Language;

/// <summary>How large the passes of a run are.</summary>
/// <param name="Rows">Rows of a training pass.</param>
/// <param name="Length">Tokens of the longest of them.</param>
/// <param name="EvaluationRows">Rows of an evaluation pass; 0 where nothing is evaluated.</param>
/// <param name="EvaluationLength">Tokens of the longest of them.</param>
/// <param name="IsPacked">Whether several sequences share a row.</param>
internal sealed record LanguageShape(int Rows, int Length, int EvaluationRows, int EvaluationLength, bool IsPacked)
{
    /// <summary>Tokens of the longest row that the encoder reads in training, where there is one beside the decoder.</summary>
    public int EncoderLength { get; init; }

    /// <summary>The same of evaluation.</summary>
    public int EvaluationEncoderLength { get; init; }

    /// <summary>The sequences of tokens that a row consists of.</summary>
    public int SequencesPerRow { get; init; } = 1;

    /// <summary>Sequences of a training pass.</summary>
    public long Sequences => (long)Rows * SequencesPerRow;

    /// <summary>Sequences of an evaluation pass.</summary>
    public long EvaluationSequences => (long)EvaluationRows * SequencesPerRow;

    /// <summary>Of full batches of rows of one length.</summary>
    public static LanguageShape Of(LanguageTrainingOptions options, int length) =>
        new(options.BatchSize, length, options.EvaluationBatchSize ?? options.BatchSize, length, IsPacked: false)
        {
            EncoderLength = length,
            EvaluationEncoderLength = length,
            SequencesPerRow = options.SequencesPerRow,
        };

    /// <summary>Of the rows that there are.</summary>
    public static LanguageShape Of(LanguageTrainingOptions options, LanguageRows rows)
    {
        var evaluationRows = Math.Min(options.EvaluationBatchSize ?? options.BatchSize, rows.Validation.Count);
        var (length, encoderLength, isPacked) = (0, 0, false);
        foreach (var row in rows.FirstEpoch())
        {
            length = Math.Max(length, row.InputIds.Length);
            encoderLength = Math.Max(encoderLength, row.EncoderIds?.Length ?? 0);
            isPacked |= row.SequenceIds is not null;
        }

        return new(
            Math.Min(options.BatchSize, rows.TrainingCount), length,
            evaluationRows, evaluationRows > 0 ? rows.Validation.Max(row => row.InputIds.Length) : 0, isPacked)
        {
            EncoderLength = encoderLength,
            EvaluationEncoderLength = evaluationRows > 0 ? rows.Validation.Max(row => row.EncoderIds?.Length ?? 0) : 0,
        };
    }
}
