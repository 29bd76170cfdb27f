using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>The pairs of a run, checked, and the order in which it goes through them.</summary>
internal sealed class PreferenceRows
{
    /// <exception cref="ArgumentException">A pair does not fit the model, or there is none.</exception>
    public PreferenceRows(
        TransformerNetwork model, PreferenceTrainingOptions options, IReadOnlyList<PreferencePair> training,
        IReadOnlyList<PreferencePair>? validation)
    {
        (Training, Validation) = (Checked(model, training, nameof(training)), Checked(model, validation ?? [], nameof(validation)));
        if (Training.Count == 0)
            throw new ArgumentException("There is nothing to train on: there is no pair of texts.", nameof(training));
        Schedule = RowSchedule.Of(options, Training.Count, epoch => options switch
        {
            { GroupByLength: true } => RowOrder.GroupedByLength(
                [.. Training.Select(pair => pair.TokenCount)], Schedule!.RowsPerStep, options.Seed, epoch),
            { Shuffle: true } => RowOrder.Shuffled(Training.Count, options.Seed, epoch),
            _ => [.. Enumerable.Range(0, Training.Count)],
        });
    }

    public IReadOnlyList<PreferencePair> Training { get; }

    public IReadOnlyList<PreferencePair> Validation { get; }

    public RowSchedule Schedule { get; }

    /// <summary>How large the passes of the run are.</summary>
    public LanguageShape ShapeOf(PreferenceTrainingOptions options)
    {
        var evaluationRows = Math.Min(options.EvaluationBatchSize ?? options.BatchSize, Validation.Count);
        return new(
            Math.Min(options.BatchSize, Training.Count), Longest(Training, text => text.InputIds.Length),
            evaluationRows, Longest(Validation, text => text.InputIds.Length), IsPacked: false)
        {
            EncoderLength = Longest(Training, text => text.EncoderIds?.Length ?? 0),
            EvaluationEncoderLength = Longest(Validation, text => text.EncoderIds?.Length ?? 0),
            SequencesPerRow = options.SequencesPerRow,
        };

        static int Longest(IReadOnlyList<PreferencePair> pairs, Func<TrainingExample, int> length) =>
            pairs.Select(pair => Math.Max(length(pair.Chosen), length(pair.Rejected))).DefaultIfEmpty().Max();
    }

    /// <summary>Makes the pairs part of what a run is known by.</summary>
    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var pairs in (IReadOnlyList<PreferencePair>[])[Training, Validation])
        {
            fingerprint.AddNumber(pairs.Count);
            foreach (var text in pairs.SelectMany(pair => (TrainingExample[])[pair.Chosen, pair.Rejected]))
            {
                fingerprint.AddNumbers<int>(text.InputIds);
                fingerprint.AddNumbers<int>(text.Labels);
                fingerprint.AddNumbers<int>(text.EncoderIds);
            }
        }
    }

    /// <summary>Refuses pairs that do not fit the model.</summary>
    /// <param name="model">What reads them.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="parameterName">The name of the user's argument.</param>
    /// <exception cref="ArgumentException">A pair does not fit; the message has its number, from 0, and what is wrong.</exception>
    public static IReadOnlyList<PreferencePair> Checked(
        TransformerNetwork model, IReadOnlyList<PreferencePair> pairs, string parameterName)
    {
        if (model is MaskedLanguageModel)
        {
            throw new ArgumentException(
                $"Preferences are between texts that a model writes; a {model.GetType().Name} writes none.", nameof(model));
        }

        foreach (var (index, pair) in pairs.Index())
        {
            if (pair?.Chosen is null || pair.Rejected is null)
                throw new ArgumentException($"Pair {index} of '{parameterName}' or a text of it is null.", parameterName);
            if (pair.Chosen.SequenceIds is not null || pair.Rejected.SequenceIds is not null)
                throw new ArgumentException($"Pair {index} of '{parameterName}' has a packed text; give single ones.", parameterName);
        }

        TrainingRows.Check([.. pairs.Select(pair => pair.Chosen)], model, corruption: null, parameterName);
        TrainingRows.Check([.. pairs.Select(pair => pair.Rejected)], model, corruption: null, parameterName);
        foreach (var (index, pair) in pairs.Index())
        {
            if (!pair.HasTokens)
                throw new ArgumentException($"Pair {index} of '{parameterName}' has a text without a token to predict.", parameterName);
        }

        return pairs;
    }
}
