using System.Globalization;
using MLTransfer.Text;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <content>Measures of preferences.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>
    /// Measures how well a model tells preferred texts from others: rewards against a reference model, margins, the share of pairs that it
    /// tells right.
    /// </summary>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="data">Goes through the transformers before the text generator first.</param>
    /// <param name="reference">
    /// What rewards are measured against: the base of the tuning, such as <see cref="LoadPretrained"/> gives. It may be the model itself;
    /// rewards are 0 then.
    /// </param>
    /// <param name="options">Columns and loss; null for the columns that the generator was tuned on and defaults.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>
    /// Texts become pairs as in tuning. So the numbers are those that a run reports of its validation pairs
    /// (<see cref="TrainingResult.ValidationPreferences"/>), up to rounding: here they are computed in float32.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model holds no text generator, an option is not usable, a column is missing or of another type, or there is no pair.
    /// </exception>
    public PreferenceMetrics EvaluatePreferences(
        ITransformer model, IDataView data, TextGenerationModel reference, PreferenceEvaluationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(reference);
        var (before, generator) = TransformerChain.Find<IPreferenceEvaluation>(model, "no text generator of TorchSharp");
        return EvaluatePreferences(
            options, checkedOptions => generator.Evaluate(Through(before, data), reference, checkedOptions, cancellationToken));
    }

    /// <summary>Measures how well a model tells preferred texts from others, before it is tuned, for example.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Prompts and texts.</param>
    /// <param name="reference">What rewards are measured against; it may be the model itself.</param>
    /// <param name="options">The columns, and the loss.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is not named, is missing or of another type, or there is no pair.
    /// </exception>
    public PreferenceMetrics EvaluatePreferences(
        TextGenerationModel model, IDataView data, TextGenerationModel reference, PreferenceEvaluationOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(options);
        return EvaluatePreferences(options, checkedOptions => TextPreferenceEvaluator.Evaluate(
            model, reference, data, checkedOptions.ColumnsOf(own: null), new TextRowForm(), checkedOptions, cancellationToken));
    }

    private PreferenceMetrics EvaluatePreferences(
        PreferenceEvaluationOptions? options, Func<PreferenceEvaluationOptions, PreferenceMetrics> evaluate)
    {
        options ??= new PreferenceEvaluationOptions();
        options.Check();
        using var channel = _host.Start("Evaluating preferences");
        var metrics = evaluate(options);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Of {metrics.PairCount} pairs: {TextTrainingLog.Text(metrics)}; {metrics.ProbabilityAccuracy:0.0%} of chosen texts are more "
            + $"probable than the rejected ones."));
        return metrics;
    }
}
