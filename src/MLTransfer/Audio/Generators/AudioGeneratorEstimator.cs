using MLTransfer.Audio.Generators;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Fine-tunes a pretrained audio generator on a column of sounds: a MusicGen on music with or without captions, or a VITS on texts and how
/// they sound. Which it is says the <c>config.json</c> of the pretrained model.
/// </summary>
/// <remarks>
/// <para>
/// Music becomes codes once, row by row; of a VITS all sounds are kept in memory. Music that is longer than a training row goes on in
/// further rows; a caption that is missing or blank says nothing of its music. Silence is music like any other. A VITS's rows need a text
/// and a sound that is not silent and long enough for the text.
/// </para>
/// <para>
/// The same data, options and seed give the same weights to the bit on the same machine with the same thread count, also where training is
/// interrupted and resumed.
/// </para>
/// </remarks>
public sealed class AudioGeneratorEstimator : ColumnMappingEstimator<AudioGeneratorTransformer>
{
    private readonly AudioGeneratorOptions _options;
    private readonly AudioGeneratorColumns _columns;
    private readonly string _trainingColumn;

    internal AudioGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string trainingColumnName,
        AudioGeneratorOptions options)
        : base(environment, "Fine-tuning an audio generator")
    {
        options.Check();
        _columns = AudioGeneratorColumns.Create(outputColumnName, inputColumnName, options);
        (_options, _trainingColumn) = (options, trainingColumnName);
    }

    /// <summary>Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same.</summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type, or there is nothing to train on.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    /// <exception cref="InvalidOperationException">A row's value is missing or not usable; the message names row and column.</exception>
    public AudioDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        using var channel = Host.Start(nameof(DescribeTrainingData));
        using var tuning = CreateTuning(channel);
        return tuning.Count(data, _columns, _trainingColumn);
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.RolesWith(_trainingColumn);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(model: null)];

    private protected override AudioGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        if (_options.ValidationData is { } validation)
            Check(_columns.RolesWith(_trainingColumn), SchemaShape.Create(validation.Schema));
        var tuning = CreateTuning(channel);
        return Ownership.Pass(tuning, () =>
        {
            var result = tuning.Train(input, _columns, _trainingColumn);
            return new AudioGeneratorTransformer(
                tuning.Model, _columns, _options.ToGeneration(tuning.Seed), _options.GenerationBatchSize, _options.WeightType)
            {
                TrainingResult = result,
                AdaptersOf = tuning.AdaptersOf,
            };
        });
    }

    private AudioFineTuning CreateTuning(IChannel channel)
    {
        var start = _options.BaseModel is { } transformer
            ? AudioBaseModel.CopyOf(transformer, _options, ComputeDevice.Of(Host))
            : AudioBaseModel.Load(Host, _options.PretrainedModel!, _options, channel, _options.CancellationToken);
        return Ownership.Pass<AudioFineTuning>(start.Model, () =>
        {
            _options.CheckForTraining(start.Model);
            var seed = SeedOf(_options.Seed);
            return start.Model is MusicGenerationModel
                ? new MusicFineTuning(start, _options, seed, channel) : new SpeechFineTuning(start, _options, seed, channel);
        });
    }
}
