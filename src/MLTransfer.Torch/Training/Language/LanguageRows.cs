using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Training.Language;

/// <summary>The rows of a run, checked, and the order in which it goes through them.</summary>
internal sealed class LanguageRows
{
    /// <exception cref="ArgumentException">A row does not fit the model, or none can be trained on.</exception>
    public LanguageRows(
        CausalLanguageModel model, LanguageTrainingOptions options, IReadOnlyList<TrainingExample> training,
        IReadOnlyList<TrainingExample>? validation)
    {
        Training = TrainingRows.Usable(training, model, nameof(training));
        Validation = TrainingRows.Usable(validation ?? [], model, nameof(validation));
        if (Training.Count == 0)
            throw new ArgumentException("There is nothing to train on: no training row has two tokens or more.", nameof(training));
        Schedule = RowSchedule.Of(options, Training.Count, epoch => options switch
        {
            { GroupByLength: true } => RowOrder.GroupedByLength(
                [.. Training.Select(row => row.InputIds.Length)], Schedule!.RowsPerStep, options.Seed, epoch),
            { Shuffle: true } => RowOrder.Shuffled(Training.Count, options.Seed, epoch),
            _ => [.. Enumerable.Range(0, Training.Count)],
        });
    }

    /// <summary>Those that have a token to predict.</summary>
    public IReadOnlyList<TrainingExample> Training { get; }

    /// <summary>Those that have a token to predict.</summary>
    public IReadOnlyList<TrainingExample> Validation { get; }

    public RowSchedule Schedule { get; }

    /// <summary>Makes the rows part of what a run is known by.</summary>
    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var rows in (IReadOnlyList<TrainingExample>[])[Training, Validation])
        {
            fingerprint.AddNumber(rows.Count);
            foreach (var row in rows)
            {
                fingerprint.AddNumbers<int>(row.InputIds);
                fingerprint.AddNumbers<int>(row.Labels);
                fingerprint.AddNumbers<int>(row.SequenceIds);
            }
        }
    }
}
