using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>Measures what a model makes of pairs of texts beside a reference model.</summary>
internal static class PreferenceEvaluator
{
    /// <summary>Measures a model beside a reference model.</summary>
    /// <param name="model">The model; left in evaluation mode.</param>
    /// <param name="reference">The reference model; null for the model with its adapters switched off.</param>
    /// <param name="objective">The loss.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="batchSize">Pairs of a forward pass.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <exception cref="ArgumentException">A pair does not fit a model.</exception>
    public static PreferenceMetrics Evaluate(
        TransformerNetwork model, TransformerNetwork? reference, PreferenceObjective objective, IReadOnlyList<PreferencePair> pairs,
        int batchSize, CancellationToken cancellationToken)
    {
        using var hold = model.Hold();
        PreferenceRows.Checked(model, pairs, nameof(pairs));
        var policy = TextLogProbabilities.Measure(model, pairs, batchSize, cancellationToken);
        return Compare(objective, pairs, policy, MeasureReference());

        TextLogProbabilities[] MeasureReference()
        {
            if (reference is null)
            {
                using var off = AdapterSwitch.Off(model);
                return TextLogProbabilities.Measure(model, pairs, batchSize, cancellationToken);
            }

            using var holdOfReference = reference.Hold();
            PreferenceRows.Checked(reference, pairs, nameof(pairs));
            return TextLogProbabilities.Measure(reference, pairs, batchSize, cancellationToken);
        }
    }

    /// <summary>The means over pairs.</summary>
    public static PreferenceMetrics Compare(
        PreferenceObjective objective, IReadOnlyList<PreferencePair> pairs, IReadOnlyList<TextLogProbabilities> policy,
        IReadOnlyList<TextLogProbabilities> reference) =>
        PairOutcome.Mean([.. pairs.Select((pair, index) => objective.Of(pair, policy[index], reference[index], out _))]);
}
