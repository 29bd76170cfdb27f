using MLTransfer.Cards;
using MLTransfer.Images;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Makes pictures with a pretrained generator as it is; fitting trains nothing.</summary>
public sealed class PretrainedImageGeneratorEstimator : ColumnMappingEstimator<ImageGeneratorTransformer>
{
    private readonly string _model;
    private readonly GenerateImagesOptions _options;
    private readonly ImageGeneratorColumns _columns;

    internal PretrainedImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string model, GenerateImagesOptions options)
        : base(environment, "Loading an image generator")
    {
        options.Check();
        (_model, _options) = (model, options);
        _columns = new ImageGeneratorColumns(
            outputColumnName, inputColumnName, options.LabelColumnName, options.LatentSpace);
        _columns.CheckInput();
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.Roles;

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(resolution: 0)];

    private protected override ImageGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        var (model, origin) = ImageBaseModel.Load(Host, _model);
        return Ownership.Pass(model, () =>
        {
            _options.CheckFor(model.Generator);
            _columns.FindInputs(input.Schema, model.Generator);
            return new ImageGeneratorTransformer(
                model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, SeedOf(_options.Seed))
            {
                Card = new ModelCard(origin),
            };
        });
    }
}
