using MLTransfer.Cards;
using MLTransfer.Text;
using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
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

    private protected override IEnumerable<ColumnRole> Roles => _columns.TrainingRoles.Prepend(_columns.InputRole).Distinct();

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        GenerationLog.Warn(channel, _options.Generation);
        if (_options.ValidationData is { } validationData)
            Check(_columns.TrainingRoles, SchemaShape.Create(validationData.Schema));

        var folder = PretrainedModels.ResolveFolder(
            _options.PretrainedModel, revision: null, new DownloadLog(channel), _options.CancellationToken);
        var baseModel = _options.SaveAdapterOnly
            ? BaseModelReference.Create(_options.PretrainedModel, folder, _options.CancellationToken)
            : null;
        var seed = SeedOf(_options.Seed);
        var model = TextGenerationModel.Load(_options.PretrainedModel, folder);
        return Ownership.Pass(model, () =>
        {
            Prepare(model.Network, seed);
            var (training, validation) = ReadRows(input, model);
            var trainer = new LanguageModelTrainer(
                model.Network, _options.Training with
                {
                    Seed = seed, SampleGeneration = _options.Training.SampleGeneration ?? _options.Generation,
                }, training, validation, model.Tokenizer);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{_options.PretrainedModel}' on {training.Count} rows, {training.Sum(row => (long)row.InputIds.Length)} "
                + $"tokens; {validation.Count} rows for evaluation. "
                + $"Matrix products are computed in {PrecisionText.Of(trainer.Precision, _options.Training.Precision)}."));
            var log = new TextTrainingLog(channel, _options.Progress);
            var result = trainer.Train(log, _options.CancellationToken, _options.StopAndKeep);
            log.Finished(result);
            model.Card = CreateCard(model.Card?.Base, training, validation, result, seed);
            if (_options.Lora is not null && !_options.SaveAdapterOnly)
                LowRankAdaptation.Merge(model.Network);

            return new TextGeneratorTransformer(
                model, ownsModel: true, _columns, Seeds.Fix(_options.Generation, seed), _options.GenerationBatchSize,
                _options.DecodingPrecision, _options.WeightType, baseModel, result);
        });
    }

    private ModelCard CreateCard(
        BaseOrigin? origin, IReadOnlyList<TrainingExample> training, IReadOnlyList<TrainingExample> validation, TrainingResult result,
        long seed) => ModelCard.OfTraining(
        origin,
        [
            new("rows", $"{training.Count}"), new("tokens", $"{training.Sum(row => (long)row.InputIds.Length)}"),
            new("validation rows", $"{validation.Count}"),
        ],
        [
            ("loss of the last step", result.History.LastOrDefault(report => report.Loss is not null)?.Loss),
            ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
            ("perplexity", result.ValidationLoss is { } loss ? Math.Exp(loss) : null), ("steps", result.Steps),
        ],
        _options.Training with { Seed = seed }, _options.Lora);

    private void Prepare(CausalLanguageModel network, long seed)
    {
        if (_options.MaximumLength is { } length)
        {
            OptionCheck.AtMost(
                nameof(TextGeneratorOptions.MaximumLength), length, network.ContextLength,
                $"the context length of '{_options.PretrainedModel}'");
        }

        if (_options.Dropout is { } dropout)
            network.Dropout = network.Dropout with { Embedding = dropout, Residual = dropout };
        if (_options.Lora is { } lora)
        {
            LowRankAdaptation.Attach(network, lora, seed);
        }

        if (_options.TrainableBlocks is { } blocks)
        {
            OptionCheck.AtMost(
                nameof(TextGeneratorOptions.TrainableBlocks), blocks, network.LayerCount,
                $"the number of blocks of '{_options.PretrainedModel}'");
            ParameterFreezing.FreezeAllButLastBlocks(network, blocks);
        }

        if (_options.FrozenParameters is { Count: > 0 } patterns)
            ParameterFreezing.FreezeByName(network, patterns);
    }

    private (IReadOnlyList<TrainingExample> Training, IReadOnlyList<TrainingExample> Validation) ReadRows(
        IDataView input, TextGenerationModel model)
    {
        var (tokenizer, maximumLength) = (model.Tokenizer, _options.MaximumLength ?? model.Network.ContextLength);
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

        return (examples, validation.ToExamples(_options.RowPacking, maximumLength, endOfSequence));
    }
}
