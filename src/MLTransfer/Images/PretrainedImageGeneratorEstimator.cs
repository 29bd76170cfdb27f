using MLTransfer.Cards;
using MLTransfer.Images;
using MLTransfer.Columns;
using MLTransfer.Logging;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Makes pictures with a pretrained generator as it is; fitting trains nothing.</summary>
public sealed class PretrainedImageGeneratorEstimator : ColumnMappingEstimator<ImageGeneratorTransformer>
{
    private readonly string _model;
    private readonly GenerateImagesOptions _options;
    private readonly ImageGeneratorColumns _columns;
    private readonly TextToImageColumns _textColumns;

    internal PretrainedImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string model, GenerateImagesOptions options)
        : base(environment, "Loading an image generator")
    {
        options.Check();
        (_model, _options) = (model, options);
        _columns = new ImageGeneratorColumns(
            outputColumnName, inputColumnName, options.LabelColumnName, options.LatentSpace);
        _textColumns = TextToImageColumns.Create(outputColumnName, inputColumnName, options);
        if (options.CaptionColumnName is null)
            _columns.CheckInput();
    }

    private protected override IEnumerable<ColumnRole> Roles =>
        ImageRoles.Of(ImageNetworkKinds.Of(_model), _columns.Roles, _textColumns.Roles);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [_columns.OutputOf(resolution: 0)];

    private protected override ImageGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        GenerationLog.Warn(channel, _options.TextToImage);
        var found = ImageBase.Load(Host, _model, _options.CodecFolder, channel, CancellationToken.None);
        return found.TextToImage is { } text ? Fit(text, input) : Fit(found.StyleGan2!, input);
    }

    private TextToImageTransformer Fit(TextToImageBase start, IDataView input) => Ownership.Pass(start.Network, () =>
    {
        _options.CheckFor(start.Network, start.Tokenizer);
        _textColumns.CheckInput();
        Check(_textColumns.Roles, SchemaShape.Create(input.Schema));
        _textColumns.FindInputs(input.Schema, TextToImageKind.Of(start.Network, start.Tokenizer));
        return new TextToImageTransformer(
            start.Network, start.Tokenizer, _textColumns, _options.TextToImage, _options.GenerationBatchSize, SeedOf(_options.Seed))
        {
            Card = new ModelCard(start.Origin),
        };
    });

    private ImageGeneratorTransformer Fit(ImageBaseModel found, IDataView input)
    {
        var (model, origin) = found;
        return Ownership.Pass(model, () =>
        {
            _options.CheckFor(model.Generator);
            _columns.CheckInput();
            _columns.FindInputs(input.Schema, model.Generator);
            return new ImageGeneratorTransformer(
                model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, SeedOf(_options.Seed))
            {
                Card = new ModelCard(origin),
            };
        });
    }
}
