using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>Measures what a model makes of pairs of texts beside a reference model.</summary>
internal static class PreferenceEvaluator
{
    /// <summary>Measures a model beside a reference model.</summary>
    /// <param name="model">The model; left in evaluation mode.</param>
    /// <param name="reference">The reference model, with the same tokens; it may be the model itself.</param>
    /// <param name="objective">The loss.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="batchSize">Pairs of a forward pass.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <exception cref="ArgumentException">A pair does not fit a model.</exception>
    public static PreferenceMetrics Evaluate(
        TransformerNetwork model, TransformerNetwork reference, PreferenceObjective objective, IReadOnlyList<PreferencePair> pairs,
        int batchSize, CancellationToken cancellationToken)
    {
        return Compare(objective, pairs, Measure(model), Measure(reference));

        TextLogProbabilities[] Measure(TransformerNetwork network)
        {
            using var hold = network.Hold();
            PreferenceRows.Checked(network, pairs, nameof(pairs));
            return TextLogProbabilities.Measure(network, pairs, batchSize, cancellationToken);
        }
    }

    /// <summary>The means over pairs.</summary>
    public static PreferenceMetrics Compare(
        PreferenceObjective objective, IReadOnlyList<PreferencePair> pairs, IReadOnlyList<TextLogProbabilities> policy,
        IReadOnlyList<TextLogProbabilities> reference) =>
        PairOutcome.Mean([.. pairs.Select((pair, index) => objective.Of(pair, policy[index], reference[index], out _))]);
}
