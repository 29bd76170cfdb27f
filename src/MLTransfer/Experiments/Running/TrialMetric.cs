using Microsoft.ML;
using MLTransfer.Text;
using MLTransfer.Text.Infilling;

namespace MLTransfer.Experiments.Running;

/// <summary>What a fitted pipeline is measured by.</summary>
/// <param name="Measure">Measures a model on rows.</param>
/// <param name="IsMaximized">Whether more is better.</param>
internal sealed record TrialMetric(Func<MLContext, ITransformer, IDataView, CancellationToken, double> Measure, bool IsMaximized)
{
    /// <summary>The cross-entropy of the first model of texts.</summary>
    public static TrialMetric OfTexts { get; } = new(
        (context, model, data, cancellationToken) => TransformerChain.All(model).FirstOrDefault(part =>
            part is ITextEvaluation or IInfillingEvaluation) switch
        {
            ITextEvaluation => context.Generation.Evaluate(model, data, cancellationToken: cancellationToken).Loss,
            IInfillingEvaluation => context.Generation.EvaluateInfilling(model, data, cancellationToken: cancellationToken).Loss,
            _ => throw new InvalidOperationException(
                $"The pipeline has no model of texts, whose loss is measured by itself. Say what to measure: "
                + $"{nameof(AutoMLExperiment.SetMetric)}, or one of the metrics of ML.NET."),
        },
        IsMaximized: false);
}
