using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Text.Infilling;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Training;

namespace MLTransfer;

/// <content>Models that fill masks.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>Loads a pretrained model that fills masks, for use outside of a pipeline, or for several pipelines.</summary>
    /// <param name="folderOrHubId">
    /// <see cref="PretrainedModels.TalesInfilling"/>, a folder in Hugging Face layout, a hub id such as <c>bert-base-uncased</c>, or a
    /// model
    /// zip with a text infiller, whose adapters become part of its weights.
    /// </param>
    /// <param name="revision">A branch, tag or commit of a hub model; null for <c>main</c>.</param>
    /// <param name="progress">Told how far a download has come; null for nobody but the log.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <exception cref="IOException">The model cannot be found or read.</exception>
    /// <exception cref="NotSupportedException">The architecture or the kind of tokenizer is not supported.</exception>
    public TextInfillingModel LoadTextInfiller(
        string folderOrHubId = PretrainedModels.TalesInfilling,
        string? revision = null,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folderOrHubId);
        using var channel = _host.Start("Loading a text infiller");
        return TextBaseModel<TextInfillingModel>
            .Load(_host, folderOrHubId, revision, new DownloadLog(channel, progress), cancellationToken).Merge();
    }

    /// <summary>Measures how well a model fills masks.</summary>
    /// <param name="model">A text infiller, or a chain of transformers with one.</param>
    /// <param name="data">Goes through the transformers before the text infiller first.</param>
    /// <param name="textColumnName">
    /// The column of texts without masks; null for the one that the infiller was trained on, or the input column where it was not trained.
    /// </param>
    /// <param name="options">What is measured; null for defaults.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>
    /// Hidden tokens are all masked, none is replaced or kept as in training, so that the loss is comparable between models with the same
    /// tokenizer, before and after training, but not with a run's <c>ValidationLoss</c>.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model holds no text infiller, an option is not usable, a column is missing or not text, or no text has a token.
    /// </exception>
    public TextInfillingMetrics EvaluateInfilling(
        ITransformer model, IDataView data, string? textColumnName = null, InfillingEvaluationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (before, infiller) = TransformerChain.Find<IInfillingEvaluation>(model, "no text infiller");
        return EvaluateInfilling(() => infiller.Evaluate(Through(before, data), textColumnName, options ?? new(), cancellationToken));
    }

    /// <summary>Measures how well a model fills masks.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">The texts.</param>
    /// <param name="textColumnName">The column of texts without masks.</param>
    /// <param name="options">What is measured; null for defaults.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>As of a transformer: hidden tokens are all masked, none is replaced or kept as in training.</remarks>
    /// <exception cref="ArgumentException">
    /// An option is not usable, the column is missing or not text, or no text has a token.
    /// </exception>
    public TextInfillingMetrics EvaluateInfilling(
        TextInfillingModel model, IDataView data, string textColumnName, InfillingEvaluationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(textColumnName);
        return EvaluateInfilling(() => InfillingEvaluator.Evaluate(
            model, data, ColumnRole.Text("text", textColumnName), options ?? new(), cancellationToken));
    }

    /// <summary>
    /// The memory that <see cref="TextInfillerEstimator"/> takes with these options, for full batches of rows of
    /// <see cref="TextInfillerOptions.MaximumLength"/> tokens. Nothing is trained.
    /// </summary>
    /// <param name="options">As they are given to the estimator. A hub model is downloaded where it is not in the cache yet.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the model.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public MemoryEstimate EstimateMemory(TextInfillerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        using var sizes = TextBaseSizes.Of<TextInfillingModel>(_host, options.FineTuning);
        if (options.FineTuning.LoraFor(sizes.Tokenizer) is { } lora)
            LowRankAdaptation.Attach(sizes.Network, lora);
        options.FineTuning.Prepare(sizes.Network, sizes.Name);
        return Logged(TrainingMemory.Estimate(
            sizes.Network, options.Training, options.MaximumLength ?? sizes.Network.ContextLength));
    }

    private TextInfillingMetrics EvaluateInfilling(Func<TextInfillingMetrics> evaluate)
    {
        using var channel = _host.Start("Evaluating a text infiller");
        var metrics = evaluate();
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Of {metrics.MaskedTokenCount} hidden tokens {metrics.MaskedAccuracy:0.0%} are the most probable ones, cross-entropy "
            + $"{metrics.Loss:0.0000}; pseudo-perplexity {metrics.PseudoPerplexity:0.00} on {metrics.TokenCount} tokens."));
        return metrics;
    }
}
