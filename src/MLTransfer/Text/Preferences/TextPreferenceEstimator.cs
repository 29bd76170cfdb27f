using System.Globalization;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Tunes a text generator by preferences between two texts of a prompt (direct preference optimization, arXiv 2305.18290): what is chosen
/// becomes more probable than what is rejected, measured against the generator as it was.
/// </summary>
/// <remarks>
/// The same data, options and seed give the same weights to the bit on the same machine with the same thread count, also where training is
/// interrupted and resumed.
/// </remarks>
public sealed class TextPreferenceEstimator : ColumnMappingEstimator<TextGeneratorTransformer>
{
    private readonly TextPreferenceOptions _options;
    private readonly TextGeneratorColumns _columns;
    private readonly TextRowForm _rowForm;
    private readonly TextGenerationModel? _baseModel;

    internal TextPreferenceEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string? chosenColumnName,
        string? rejectedColumnName, TextPreferenceOptions options, TextGenerationModel? baseModel = null)
        : base(environment, "Tuning a text generator by preferences")
    {
        options.Check();
        if (baseModel is not null)
            OptionCheck.OneBase(nameof(options.BaseModel), options.BaseModel is null, options.PretrainedModel, PretrainedModels.Tales);
        PreferenceColumns.Check(
            chosenColumnName, rejectedColumnName, options.RankedColumnName, options.ScoreColumnName, areNeeded: true);
        if (options.ChatColumnName is { } chats && (inputColumnName ?? chats) != chats)
        {
            throw new ArgumentException(
                $"The prompts of preferences are the generator's input: '{inputColumnName}' is given as the input column, '{chats}' as "
                + $"{nameof(options.ChatColumnName)}. Give the same name.", nameof(inputColumnName));
        }

        _columns = TextGeneratorColumns.Create(
            outputColumnName, inputColumnName, options, completion: chosenColumnName ?? options.RankedColumnName) with
        {
            Rejected = rejectedColumnName, Score = options.ScoreColumnName,
        };
        _rowForm = new TextRowForm
        {
            Packing = RowPacking.None, MaximumLength = options.MaximumLength, AppendEndOfSequence = options.AppendEndOfSequence,
        };
        (_options, _baseModel) = (options, baseModel);
    }

    /// <summary>Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same.</summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type, or there is nothing to train on.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public PreferenceDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        using var sizes = TextBaseSizes.Of(Host, _options.FineTuning, _baseModel);
        return ReadPairs(data, sizes.Tokenizer, sizes.Network, sizes.Name).Report;
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
            var (training, validation, report) = ReadPairs(input, start.Model.Tokenizer, start.Model.Network, start.Name);
            var trainer = new PreferenceTrainer(
                start.Model.Network, TrainingObserver.Place(_options.Training with
                {
                    Seed = seed, SampleGeneration = _options.Training.SampleGeneration ?? _options.Generation,
                }), training, validation, start.Model.Tokenizer) { AnswerSamples = tuning.AnswersOf(start.Model) };
            return new TextTraining
            {
                Task = string.Create(CultureInfo.InvariantCulture,
                    $"Tuning '{start.Name}' by preferences in {report.TrainingPairs} pairs, {report.Tokens} tokens; "
                    + $"{report.EvaluationPairs} pairs for evaluation."),
                Data = report.ToString(),
                Computation = trainer.Computation,
                EstimateMemory = trainer.EstimateMemory,
                Train = trainer.Train,
                CreateCard = (origin, result) =>
                    CreateCard(origin, report, result, trainer.Computation.Fix(_options.Training with { Seed = seed })),
            };
        });
    }

    private ModelCard CreateCard(
        BaseOrigin? origin, PreferenceDataReport data, TrainingResult result, PreferenceTrainingOptions training) => ModelCard.OfTraining(
        origin,
        [
            new("pairs of preferences", $"{data.TrainingPairs}"), new("tokens", $"{data.Tokens}"),
            new("validation pairs", $"{data.EvaluationPairs}"),
        ],
        [
            ("loss of the last step", result.History.LastOrDefault(report => report.Loss is not null)?.Loss),
            ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
            ("validation reward margin", result.ValidationPreferences?.RewardMargin),
            ("validation reward accuracy", result.ValidationPreferences?.RewardAccuracy), ("steps", result.Steps),
        ],
        training, _options.Lora);

    private (IReadOnlyList<PreferencePair> Training, IReadOnlyList<PreferencePair> Validation, PreferenceDataReport Report) ReadPairs(
        IDataView input, TextTokenizer tokenizer, TransformerNetwork network, string name)
    {
        _rowForm.CheckEnd(tokenizer, name);

        var encoder = new PairEncoder(tokenizer, network, _columns.Chat, _rowForm, name);
        var pairs = TrainingPairs.Read(input, _columns, encoder, _options.CancellationToken);
        var (cut, unknown) = (encoder.CutPairs, encoder.UnknownTokens); // of these alone
        var (training, validation) = _options.ValidationData is { } validationData
            ? (pairs.All, TrainingPairs.Read(validationData, _columns, encoder, _options.CancellationToken).All)
            : pairs.Split(_options.ValidationFraction);
        if (training.Count == 0)
        {
            throw new ArgumentException(
                $"There is nothing to train on: the columns '{_columns.Input}', '{_columns.Completion}' and "
                + $"'{_columns.Rejected ?? _columns.Score}' make no pair of texts.", nameof(input));
        }

        return (training, validation, new PreferenceDataReport
        {
            Pairs = pairs.Pairs.Count,
            EmptyRows = pairs.EmptyRows,
            UnusablePairs = pairs.UnusablePairs,
            DuplicatePairs = pairs.DuplicatePairs,
            EqualPairs = pairs.EqualPairs,
            CutPairs = cut,
            MaximumLength = encoder.MaximumLength,
            TrainingPairs = training.Count,
            Tokens = training.Sum(pair => (long)pair.TokenCount),
            UnknownTokens = unknown,
            EvaluationPairs = validation.Count,
        });
    }
}
