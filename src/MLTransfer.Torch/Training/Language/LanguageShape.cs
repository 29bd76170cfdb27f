namespace MLTransfer.Torch.Training.Language;

/// <summary>How large the passes of a run are.</summary>
/// <param name="Rows">Rows of a training pass.</param>
/// <param name="Length">Tokens of the longest of them.</param>
/// <param name="EvaluationRows">Rows of an evaluation pass; 0 where nothing is evaluated.</param>
/// <param name="EvaluationLength">Tokens of the longest of them.</param>
/// <param name="IsPacked">Whether several sequences share a row.</param>
internal sealed record LanguageShape(int Rows, int Length, int EvaluationRows, int EvaluationLength, bool IsPacked)
{
    /// <summary>Of full batches of rows of one length.</summary>
    public static LanguageShape Of(LanguageTrainingOptions options, int length) =>
        new(options.BatchSize, length, options.EvaluationBatchSize ?? options.BatchSize, length, IsPacked: false);

    /// <summary>Of the rows that there are.</summary>
    public static LanguageShape Of(LanguageTrainingOptions options, LanguageRows rows)
    {
        var evaluationRows = Math.Min(options.EvaluationBatchSize ?? options.BatchSize, rows.Validation.Count);
        return new(
            Math.Min(options.BatchSize, rows.Training.Count), rows.Training.Max(row => row.InputIds.Length),
            evaluationRows, evaluationRows > 0 ? rows.Validation.Max(row => row.InputIds.Length) : 0,
            rows.Training.Any(row => row.SequenceIds is not null));
    }
}
