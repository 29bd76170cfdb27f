using System.Globalization;
using MLTransfer.Cards;
using MLTransfer.Text;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Tokenization;
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
    private readonly TextRowForm _rowForm;
    private readonly TextGenerationModel? _baseModel;

    internal TextGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string? trainingColumnName,
        TextGeneratorOptions options, TextGenerationModel? baseModel = null)
        : base(environment, "Fine-tuning a text generator")
    {
        options.Check();
        if (baseModel is not null)
            OptionCheck.OneBase(nameof(options.BaseModel), options.BaseModel is null, options.PretrainedModel, PretrainedModels.Tales);
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
        _rowForm = new TextRowForm
        {
            Packing = options.RowPacking, MaximumLength = options.MaximumLength, AppendEndOfSequence = options.AppendEndOfSequence,
        };
        (_options, _baseModel) = (options, baseModel);
    }

    /// <summary>Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same.</summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type, or there is nothing to train on.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public TextDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        using var sizes = TextBaseSizes.Of(Host, _options.FineTuning, _baseModel);
        return ReadRows(data, sizes.Tokenizer, sizes.Network.ContextLength, sizes.Name).Report;
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.TrainingRoles.Prepend(_columns.InputRole).Distinct();

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        GenerationLog.Warn(channel, _options.Generation);
        if (_options.ValidationData is { } validationData)
            Check(_columns.TrainingRoles, SchemaShape.Create(validationData.Schema));

        var seed = SeedOf(_options.Seed);
        var fineTuning = _options.FineTuning;
        var start = fineTuning.LoadBase(Host, _baseModel, channel);
        var model = start.Model;
        return Ownership.Pass(model, () =>
        {
            var adaptersOf = fineTuning.Adapt(start, seed);
            fineTuning.Prepare(model.Network, start.Name);
            var (training, validation, report) = ReadRows(input, model.Tokenizer, model.Network.ContextLength, start.Name);
            var trainer = new LanguageModelTrainer(
                model.Network, _options.Training with
                {
                    Seed = seed, SampleGeneration = _options.Training.SampleGeneration ?? _options.Generation,
                }, training, validation, model.Tokenizer);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{start.Name}' on {report.Rows} rows, {report.Tokens} tokens; {report.EvaluationRows} rows for evaluation. "
                + $"Matrix products are computed in {PrecisionText.Of(trainer.Precision, _options.Training.Precision)}."));
            channel.Info($"Training data: {report}. Memory: {trainer.EstimateMemory()}.");
            var log = new TextTrainingLog(channel, _options.Progress);
            var result = trainer.Train(log, _options.CancellationToken, _options.StopAndKeep);
            log.Finished(result);
            model.Card = CreateCard(model.Card?.Base, report, result, seed);
            if (_options.Lora is not null && !_options.SaveAdapterOnly)
                LowRankAdaptation.Merge(model.Network);

            return new TextGeneratorTransformer(
                model, ownsModel: true, _columns, Seeds.Fix(_options.Generation, seed), _options.GenerationBatchSize,
                _options.DecodingPrecision, _options.WeightType, _rowForm, adaptersOf, result);
        });
    }

    private ModelCard CreateCard(BaseOrigin? origin, TextDataReport data, TrainingResult result, long seed) => ModelCard.OfTraining(
        origin,
        [new("rows", $"{data.Rows}"), new("tokens", $"{data.Tokens}"), new("validation rows", $"{data.EvaluationRows}")],
        [
            ("loss of the last step", result.History.LastOrDefault(report => report.Loss is not null)?.Loss),
            ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
            ("perplexity", result.ValidationLoss is { } loss ? Math.Exp(loss) : null), ("steps", result.Steps),
        ],
        _options.Training with { Seed = seed }, _options.Lora);

    private TextTrainingRows ReadRows(IDataView input, TextTokenizer tokenizer, int contextLength, string name)
    {
        if (_options.AppendEndOfSequence == true && tokenizer.EndOfSequenceId is null)
        {
            throw new ArgumentException(
                $"{nameof(TextGeneratorOptions.AppendEndOfSequence)} is true, but the tokenizer of '{name}' has no "
                + "end-of-sequence token.");
        }

        var texts = TrainingTexts.Read(input, _columns, tokenizer, _options.CancellationToken);
        var (training, validation) = _options.ValidationData is { } validationData
            ? (texts, TrainingTexts.Read(validationData, _columns, tokenizer, _options.CancellationToken))
            : texts.Split(_options.ValidationFraction);
        var examples = _rowForm.RowsOf(training, tokenizer, contextLength);
        if (!examples.Any(example => example.PredictedTokens > 0))
        {
            throw new ArgumentException(
                $"There is nothing to train on: of column '{_columns.TextRole.Column}' no row has a text of two tokens or more.",
                nameof(input));
        }

        var evaluation = _rowForm.RowsOf(validation, tokenizer, contextLength);
        return new TextTrainingRows(examples, evaluation, new TextDataReport
        {
            Texts = texts.Texts.Count,
            EmptyTexts = texts.Counts.Empty,
            DuplicateTexts = texts.Counts.Duplicates,
            CutTexts = _rowForm.CountCut(texts, tokenizer, contextLength),
            MaximumLength = _rowForm.MaximumLength ?? contextLength,
            Rows = examples.Count,
            Tokens = examples.Sum(row => (long)row.InputIds.Length),
            UnknownTokens = texts.Counts.UnknownTokens,
            EvaluationRows = evaluation.Count,
        });
    }
}
