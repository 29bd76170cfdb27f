using System.Globalization;
using MLTransfer.Cards;
using MLTransfer.Text;
using MLTransfer.Text.Chats;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Networks.Transformers;
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
        if (options.ChatColumnName is not null && (trainingColumnName ?? options.CompletionColumnName) is not null)
        {
            throw new ArgumentException(
                $"The model is trained on the chats of '{options.ChatColumnName}' ({nameof(options.ChatColumnName)}): leave out "
                + $"{(trainingColumnName is not null ? nameof(trainingColumnName) : nameof(options.CompletionColumnName))}.");
        }

        var training = options.CompletionColumnName is null
            ? options.ChatColumnName ?? trainingColumnName ?? inputColumnName ?? outputColumnName : null;
        _columns = TextGeneratorColumns.Create(outputColumnName, inputColumnName, options, training, options.CompletionColumnName);
        _rowForm = new TextRowForm
        {
            Packing = options.RowPacking, MaximumLength = options.MaximumLength, AppendEndOfSequence = options.AppendEndOfSequence,
            Noise = options.Noise,
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
        return ReadRows(data, sizes.Tokenizer, sizes.Network, sizes.Name).Report;
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.InputRoles.Concat(_columns.TrainingRoles).Distinct();

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        GenerationLog.Warn(channel, _options.Generation);
        if (_options.ValidationData is { } validationData)
            Check(_columns.TrainingRoles, SchemaShape.Create(validationData.Schema));

        var seed = SeedOf(_options.Seed);
        var tuning = new TextTuning(Host, channel, _options, _columns, _rowForm, seed);
        return tuning.Run(_baseModel, start =>
        {
            var (training, validation, noise, report) = ReadRows(input, start.Model.Tokenizer, start.Model.Network, start.Name);
            var options = _options.Training with
            {
                Seed = seed,
                SampleGeneration = _options.Training.SampleGeneration ?? _options.Generation,
                MoveBorders = _options.Training.MoveBorders && noise is null
                    && (report.Texts == 1 || _options.RowPacking == RowPacking.Concatenated) && MovingBlocks.AreOneText(training),
            };
            var trainer = new LanguageModelTrainer(
                start.Model.Network, TrainingObserver.Place(options), training, validation, start.Model.Tokenizer, noise)
                {
                    AnswerSamples = tuning.AnswersOf(start.Model),
                };
            return new TextTraining
            {
                Task = string.Create(CultureInfo.InvariantCulture,
                    $"Fine-tuning '{start.Name}' on {report.Rows} rows, {report.Tokens} tokens; "
                    + $"{report.EvaluationRows} rows for evaluation."),
                Data = report.ToString(),
                Computation = trainer.Computation,
                EstimateMemory = trainer.EstimateMemory,
                Train = trainer.Train,
                CreateCard = (origin, result) => CreateCard(origin, report, result, trainer.Computation.Fix(options)),
            };
        });
    }

    private ModelCard CreateCard(
        BaseOrigin? origin, TextDataReport data, TrainingResult result, LanguageTrainingOptions training) => ModelCard.OfTraining(
        origin,
        [new("rows", $"{data.Rows}"), new("tokens", $"{data.Tokens}"), new("validation rows", $"{data.EvaluationRows}")],
        [
            ("loss of the last step", result.History.LastOrDefault(report => report.Loss is not null)?.Loss),
            ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
            ("perplexity", result.ValidationLoss is { } loss ? Math.Exp(loss) : null), ("steps", result.Steps),
        ],
        training, _options.Lora);

    private TextTrainingRows ReadRows(IDataView input, TextTokenizer tokenizer, TransformerNetwork network, string name)
    {
        _rowForm.CheckEnd(tokenizer, name);

        if (_options.Noise is not null && (network is not EncoderDecoderModel || _columns.Completion is not null))
        {
            throw new ArgumentException(
                $"{nameof(TextGeneratorOptions.Noise)} is for whole texts that train an encoder with a decoder, such as T5 or BART; "
                + $"'{name}' is trained without it here. Leave it out.");
        }

        if (_columns.Chat is not null)
            return ChatRows.Read(input, _columns, _rowForm, _options, tokenizer, network, name);
        var texts = TrainingTexts.Read(input, _columns, tokenizer, network, _options.CancellationToken);
        var noise = _rowForm.NoiseOf(texts, tokenizer, network);
        var (training, validation) = _options.ValidationData is { } validationData
            ? (texts, TrainingTexts.Read(validationData, _columns, tokenizer, network, _options.CancellationToken))
            : texts.Split(_options.ValidationFraction);
        var examples = _rowForm.RowsOf(training, tokenizer, network);
        if (!examples.Any(example => example.PredictedTokens > 0))
        {
            throw new ArgumentException(
                $"There is nothing to train on: of column '{_columns.TextRole.Column}' no row has a text of two tokens or more.",
                nameof(input));
        }

        var evaluation = _rowForm.RowsOf(validation, tokenizer, network);
        return new TextTrainingRows(examples, evaluation, noise, new TextDataReport
        {
            Texts = texts.Texts.Count,
            EmptyTexts = texts.Counts.Empty,
            DuplicateTexts = texts.Counts.Duplicates,
            CutTexts = _rowForm.CountCut(texts, tokenizer, network),
            MaximumLength = _rowForm.LengthOf(network),
            Rows = examples.Count,
            Tokens = examples.Sum(row => (long)row.TokenCount),
            UnknownTokens = texts.Counts.UnknownTokens,
            EvaluationRows = evaluation.Count,
        });
    }
}
