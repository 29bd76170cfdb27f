using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Images.LatentProjection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Projects pictures into the latent space of an image generator; fitting loads the generator, and the transformer does the work.
/// </summary>
public sealed class ImageProjectionEstimator : ColumnMappingEstimator<ImageProjectionTransformer>
{
    private readonly ProjectImagesOptions _options;
    private readonly ImageProjectionColumns _columns;

    internal ImageProjectionEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, ProjectImagesOptions options)
        : base(environment, "Loading an image generator to project into")
    {
        options.Check();
        (_options, _columns) = (options, new ImageProjectionColumns(outputColumnName, inputColumnName));
    }

    private protected override IEnumerable<ColumnRole> Roles => [_columns.InputRole];

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) =>
        [new OutputColumn(_columns.Output, new VectorDataViewType(NumberDataViewType.Single, 1))];

    private protected override ImageProjectionTransformer Fit(IDataView input, IChannel channel)
    {
        var (model, origin) = _options.BaseModel is { } loaded
            ? ImageBaseModel.CopyOf(loaded, ComputeDevice.Of(Host))
            : ImageBaseModel.Load(Host, _options.PretrainedModel);
        return Ownership.Pass(model, () =>
        {
            _columns.Find(input.Schema, model.Generator);
            var projection = _options.Projection with { Seed = SeedOf(_options.Seed) };
            return new ImageProjectionTransformer(model, _columns, projection, _options.ProjectionBatchSize, _options.FeatureExtractor)
            {
                Progress = _options.Progress, CancellationToken = _options.CancellationToken, Card = new ModelCard(origin),
            };
        });
    }
}
