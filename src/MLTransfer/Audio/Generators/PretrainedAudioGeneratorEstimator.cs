using MLTransfer.Audio.Generators;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Makes sounds with a pretrained generator as it is; fitting trains nothing.</summary>
public sealed class PretrainedAudioGeneratorEstimator : ColumnMappingEstimator<AudioGeneratorTransformer>
{
    private readonly string _model;
    private readonly GenerateAudioOptions _options;
    private readonly AudioGeneratorColumns _columns;

    internal PretrainedAudioGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string model, GenerateAudioOptions options)
        : base(environment, "Loading an audio generator")
    {
        options.Check();
        (_model, _options) = (model, options);
        _columns = AudioGeneratorColumns.Create(outputColumnName, inputColumnName, options);
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.Roles;

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(model: null)];

    private protected override AudioGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        var model = AudioBaseModel.Load(Host, _model, _options, channel, CancellationToken.None).Model;
        return Ownership.Pass(model, () =>
        {
            _options.CheckFor(model);
            _options.CheckPhonemes(model);
            _columns.FindInputs(input.Schema, model, _options.ConvertSounds);
            return new AudioGeneratorTransformer(
                model, _columns, _options.ToGeneration(SeedOf(_options.Seed)), _options.GenerationBatchSize, _options.WeightType);
        });
    }
}
