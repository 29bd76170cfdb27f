using MLTransfer.Text;
using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using TorchSharp;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Fine-tunes a pretrained text generator on a text column, or on columns of prompts and completions.</summary>
/// <remarks>
/// The architecture is what the pretrained model's <c>config.json</c> says. The same data, options and seed give the same weights to the
/// bit on the same machine with the same thread count, also where training is interrupted and resumed.
/// </remarks>
public sealed class TextGeneratorEstimator : ColumnMappingEstimator<TextGeneratorTransformer>
{
    private readonly TextGeneratorOptions _options;
    private readonly TextGeneratorColumns _columns;

    internal TextGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string? trainingColumnName,
        TextGeneratorOptions options)
        : base(environment, "Fine-tuning a text generator")
    {
        options.Check();
        if (trainingColumnName is not null && options.CompletionColumnName is not null)
        {
            throw new ArgumentException(
                $"The model is trained either on the texts of '{trainingColumnName}' ({nameof(trainingColumnName)}) or on the completions "
                + $"of '{options.CompletionColumnName}' ({nameof(options.CompletionColumnName)}). Leave one of them out.",
                nameof(trainingColumnName));
        }

        OptionCheck.ColumnName(nameof(trainingColumnName), trainingColumnName);
        var training = options.CompletionColumnName is null ? trainingColumnName ?? inputColumnName ?? outputColumnName : null;
        _columns = TextGeneratorColumns.Create(outputColumnName, inputColumnName, options, training, options.CompletionColumnName);
        _options = options;
    }

    /// <summary>Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same.</summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type, or there is nothing to train on.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public TextDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        var folder = PretrainedModels.ResolveFolder(_options.PretrainedModel, revision: null, progress: null, _options.CancellationToken);
        using var sizes = CausalLanguageModel.Create(ModelConfigurationFile.Read(folder), device: torch.META);
        return ReadRows(data, TextTokenizer.Load(folder), sizes.ContextLength).Report;
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.TrainingRoles.Prepend(_columns.InputRole).Distinct();

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        if (_options.ValidationData is { } validationData)
            Check(_columns.TrainingRoles, SchemaShape.Create(validationData.Schema));

        var folder = PretrainedModels.ResolveFolder(
            _options.PretrainedModel, revision: null, new DownloadLog(channel), _options.CancellationToken);
        var baseModel = _options.SaveAdapterOnly
            ? BaseModelReference.Create(_options.PretrainedModel, folder, _options.CancellationToken)
            : null;
        var seed = SeedOf(_options.Seed);
        var model = TextGenerationModel.Load(folder);
        return Ownership.Pass(model, () =>
        {
            Prepare(model.Network, _options, seed);
            var (training, validation, report) = ReadRows(input, model.Tokenizer, model.Network.ContextLength);
            var trainer = new LanguageModelTrainer(
                model.Network, _options.Training with { Seed = seed }, training, validation, model.Tokenizer);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{_options.PretrainedModel}' on {training.Count} rows, {training.Sum(row => (long)row.InputIds.Length)} "
                + $"tokens; {validation.Count} rows for evaluation. "
                + $"Matrix products are computed in {PrecisionText.Of(trainer.Precision, _options.Training.Precision)}."));
            channel.Info($"Training data: {report}. Memory: {trainer.EstimateMemory()}.");
            var log = new TextTrainingLog(channel, _options.Progress);
            var result = trainer.Train(log, _options.CancellationToken);
            log.Finished(result);
            if (_options.Lora is not null && !_options.SaveAdapterOnly)
                LowRankAdaptation.Merge(model.Network);

            return new TextGeneratorTransformer(
                model, ownsModel: true, _columns, Seeds.Fix(_options.Generation, seed), _options.GenerationBatchSize,
                _options.DecodingPrecision, _options.WeightType, baseModel, result);
        });
    }

    /// <summary>Freezes what the options say and puts adapters on.</summary>
    /// <param name="network">What is to be trained.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Of the adapters; null for libtorch's generator.</param>
    internal static void Prepare(CausalLanguageModel network, TextGeneratorOptions options, long? seed)
    {
        if (options.MaximumLength is { } length)
        {
            OptionCheck.AtMost(
                nameof(TextGeneratorOptions.MaximumLength), length, network.ContextLength,
                $"the context length of '{options.PretrainedModel}'");
        }

        if (options.Dropout is { } dropout)
            network.Dropout = network.Dropout with { Embedding = dropout, Residual = dropout };
        if (options.Lora is { } lora)
        {
            LowRankAdaptation.Attach(network, lora, seed);
        }

        if (options.TrainableBlocks is { } blocks)
        {
            OptionCheck.AtMost(
                nameof(TextGeneratorOptions.TrainableBlocks), blocks, network.LayerCount,
                $"the number of blocks of '{options.PretrainedModel}'");
            ParameterFreezing.FreezeAllButLastBlocks(network, blocks);
        }

        if (options.FrozenParameters is { Count: > 0 } patterns)
            ParameterFreezing.FreezeByName(network, patterns);
    }

    private TextTrainingRows ReadRows(IDataView input, TextTokenizer tokenizer, int contextLength)
    {
        var maximumLength = _options.MaximumLength ?? contextLength;
        if (_options.AppendEndOfSequence == true && tokenizer.EndOfSequenceId is null)
        {
            throw new ArgumentException(
                $"{nameof(TextGeneratorOptions.AppendEndOfSequence)} is true, but the tokenizer of '{_options.PretrainedModel}' has no "
                + "end-of-sequence token.");
        }

        var append = _options.AppendEndOfSequence ?? _options.RowPacking != RowPacking.Concatenated;
        var endOfSequence = append ? tokenizer.EndOfSequenceId : null;
        var texts = TrainingTexts.Read(input, _columns, tokenizer, _options.CancellationToken);
        var (training, validation) = _options.ValidationData is { } validationData
            ? (texts, TrainingTexts.Read(validationData, _columns, tokenizer, _options.CancellationToken))
            : texts.Split(_options.ValidationFraction);
        var examples = training.ToExamples(_options.RowPacking, maximumLength, endOfSequence);
        if (!examples.Any(example => example.PredictedTokens > 0))
        {
            throw new ArgumentException(
                $"There is nothing to train on: of column '{_columns.TextRole.Column}' no row has a text of two tokens or more.",
                nameof(input));
        }

        var evaluation = validation.ToExamples(_options.RowPacking, maximumLength, endOfSequence);
        return new TextTrainingRows(examples, evaluation, new TextDataReport
        {
            Texts = texts.Texts.Count,
            EmptyTexts = texts.Counts.Empty,
            DuplicateTexts = texts.Counts.Duplicates,
            CutTexts = texts.CountCut(_options.RowPacking, maximumLength, endOfSequence),
            MaximumLength = maximumLength,
            Rows = examples.Count,
            Tokens = examples.Sum(row => (long)row.InputIds.Length),
            UnknownTokens = texts.Counts.UnknownTokens,
            EvaluationRows = evaluation.Count,
        });
    }
}
