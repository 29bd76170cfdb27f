using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Text.Infilling;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer;

/// <summary>Fine-tunes a pretrained model that fills masks (BERT, RoBERTa, DistilBERT) on a text column.</summary>
/// <remarks>
/// The same data, options and seed give the same weights to the bit on the same machine with the same thread count, also where training is
/// interrupted and resumed: which tokens are hidden depends on the seed, the epoch and the row alone.
/// </remarks>
public sealed class TextInfillerEstimator : ColumnMappingEstimator<TextInfillerTransformer>
{
    private readonly TextInfillerOptions _options;
    private readonly TextInfillerColumns _columns;
    private readonly TextRowForm _rowForm;
    private readonly TextInfillingModel? _baseModel;

    internal TextInfillerEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string? trainingColumnName,
        TextInfillerOptions options, TextInfillingModel? baseModel = null)
        : base(environment, "Fine-tuning a text infiller")
    {
        options.Check();
        if (baseModel is not null)
        {
            OptionCheck.OneBase(
                nameof(options.BaseModel), options.BaseModel is null, options.PretrainedModel, PretrainedModels.TalesInfilling);
        }

        OptionCheck.ColumnName(nameof(trainingColumnName), trainingColumnName);
        _columns = TextInfillerColumns.Create(
            outputColumnName, inputColumnName, options, trainingColumnName ?? inputColumnName ?? outputColumnName);
        _rowForm = new TextRowForm
        {
            Packing = options.RowPacking, MaximumLength = options.MaximumLength, AppendEndOfSequence = false,
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
        return ReadRows(data, sizes.Tokenizer, sizes.Network).Report;
    }

    private protected override IEnumerable<ColumnRole> Roles => new[] { _columns.InputRole, _columns.TrainingRole }.Distinct();

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextInfillerTransformer Fit(IDataView input, IChannel channel)
    {
        if (_options.ValidationData is { } validationData)
            Check([_columns.TrainingRole], SchemaShape.Create(validationData.Schema));

        var seed = SeedOf(_options.Seed);
        var fineTuning = _options.FineTuning;
        var start = fineTuning.LoadBase(Host, _baseModel, channel);
        var model = start.Model;
        return Ownership.Pass(model, () =>
        {
            var adaptersOf = fineTuning.Adapt(start, seed);
            fineTuning.Prepare(model.Network, start.Name);
            var (training, validation, noise, report) = ReadRows(input, model.Tokenizer, model.Network);
            var trainer = new LanguageModelTrainer(
                model.Network, TrainingObserver.Place(_options.Training with { Seed = seed }), training, validation, model.Tokenizer,
                noise);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuning '{start.Name}' on {report.Rows} rows, {report.Tokens} tokens; {report.EvaluationRows} rows for evaluation."));
            ComputationLog.Tell(channel, trainer.Computation);
            channel.Info($"Training data: {report}. Memory: {trainer.EstimateMemory()}.");
            var log = new TextTrainingLog(channel, _options.Progress);
            var result = trainer.Train(log, _options.CancellationToken, _options.StopAndKeep);
            log.Finished(result);
            ITextModel described = model;
            described.Card = CreateCard(
                described.Card?.Base, report, result, trainer.Computation.Fix(_options.Training with { Seed = seed }));
            if (_options.Lora is not null && !_options.SaveAdapterOnly)
                LowRankAdaptation.Merge(model.Network);

            return new TextInfillerTransformer(
                model, ownsModel: true, _columns, Seeds.Fix(_options.Infilling ?? _baseModel?.Infilling ?? model.Infilling, seed),
                _options.DecodingPrecision, _options.WeightType, adaptersOf, result);
        });
    }

    private ModelCard CreateCard(
        BaseOrigin? origin, TextDataReport data, TrainingResult result, LanguageTrainingOptions training) => ModelCard.OfTraining(
        origin,
        [new("rows", $"{data.Rows}"), new("tokens", $"{data.Tokens}"), new("validation rows", $"{data.EvaluationRows}")],
        [
            ("loss of the last step", result.History.LastOrDefault(report => report.Loss is not null)?.Loss),
            ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss), ("steps", result.Steps),
        ],
        training, _options.Masking, _options.Lora);

    private TextTrainingRows ReadRows(IDataView input, TextTokenizer tokenizer, TransformerNetwork network)
    {
        var maximumLength = _rowForm.LengthOf(network);
        var texts = ReadTexts(input);
        var (training, validation) = _options.ValidationData is { } validationData
            ? (texts, ReadTexts(validationData))
            : texts.Split(_options.ValidationFraction);
        var examples = RowsOf(training);
        if (!examples.Any(example => example.InputIds.Any(id => !tokenizer.SpecialTokenIds.Contains(id))))
        {
            throw new ArgumentException(
                $"There is nothing to train on: of column '{_columns.TrainingRole.Column}' no row has a text with a token that could be "
                + "masked.", nameof(input));
        }

        var evaluation = RowsOf(validation);
        return new TextTrainingRows(examples, evaluation, new TokenMasking(tokenizer, _options.Masking), new TextDataReport
        {
            Texts = texts.Texts.Count,
            EmptyTexts = texts.Counts.Empty,
            DuplicateTexts = texts.Counts.Duplicates,
            CutTexts = _rowForm.CountCut(texts, tokenizer, network),
            MaximumLength = maximumLength,
            Rows = examples.Count,
            Tokens = examples.Sum(row => (long)row.InputIds.Length),
            UnknownTokens = texts.Counts.UnknownTokens,
            EvaluationRows = evaluation.Count,
        });

        TrainingTexts ReadTexts(IDataView data) =>
            TrainingTexts.Read(data, _columns.TrainingRole.Column, tokenizer, network, _options.CancellationToken);

        IReadOnlyList<TrainingExample> RowsOf(TrainingTexts part) => _rowForm.RowsOf(
            _rowForm.Packing == RowPacking.Concatenated ? part : part.CutBetweenSpecialTokens(tokenizer, maximumLength), tokenizer,
            network);
    }
}
