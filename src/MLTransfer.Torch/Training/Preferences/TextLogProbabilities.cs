using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>The log-probabilities of the texts of a pair, in nats; or what belongs to each of the two.</summary>
/// <param name="Chosen">Of the chosen text.</param>
/// <param name="Rejected">Of the rejected one.</param>
internal readonly record struct TextLogProbabilities(double Chosen, double Rejected)
{
    /// <summary>Measures pairs with a network in evaluation mode.</summary>
    /// <param name="model">The network.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="batchSize">Pairs of a forward pass.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    public static TextLogProbabilities[] Measure(
        TransformerNetwork model, IReadOnlyList<PreferencePair> pairs, int batchSize, CancellationToken cancellationToken)
    {
        model.eval();
        var measured = new List<TextLogProbabilities>(pairs.Count);
        foreach (var part in pairs.Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = TorchSharp.torch.NewDisposeScope();
            var texts = Texts(part);
            measured.AddRange(Of(LanguageModelLoss.LogProbabilities(
                model, TrainingBatch.Create(texts, model.Device), [.. texts.Select(text => text.PredictedTokens)])));
        }

        return [.. measured];
    }

    /// <summary>The texts of a batch: the chosen ones of its pairs, then the rejected ones.</summary>
    public static IReadOnlyList<TrainingExample> Texts(IReadOnlyList<PreferencePair> pairs) =>
        [.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)];

    /// <summary>Those of the pairs whose texts are a batch.</summary>
    /// <param name="values">One for each of <see cref="Texts"/>.</param>
    public static IEnumerable<TextLogProbabilities> Of(IReadOnlyList<double> values) => Enumerable.Range(0, values.Count / 2)
        .Select(pair => new TextLogProbabilities(values[pair], values[values.Count / 2 + pair]));
}
