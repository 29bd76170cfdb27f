using MLTransfer.Text;
using MLTransfer.Columns;
using MLTransfer.Logging;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Makes a transformer that generates text with a pretrained model as it is. Fitting reads no data.</summary>
public sealed class PretrainedTextGeneratorEstimator : ColumnMappingEstimator<TextGeneratorTransformer>
{
    private readonly string? _name;
    private readonly TextGenerationModel? _model;
    private readonly GenerateTextOptions _options;
    private readonly TextGeneratorColumns _columns;

    internal PretrainedTextGeneratorEstimator(
        IHostEnvironment environment,
        string outputColumnName,
        string? inputColumnName,
        string? name,
        TextGenerationModel? model,
        GenerateTextOptions options)
        : base(environment, "Loading a text generator")
    {
        options.Check();
        if (model?.Network.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters. Merge them into its weights first.", nameof(model));
        _columns = TextGeneratorColumns.Create(outputColumnName, inputColumnName, options);
        (_name, _model, _options) = (name, model, options);
    }

    private protected override IEnumerable<ColumnRole> Roles => _columns.InputRoles;

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextGeneratorTransformer Fit(IDataView input, IChannel channel)
    {
        GenerationLog.Warn(channel, _options.Generation);
        var model = _model ?? LoadModel(channel);
        try
        {
            if (_columns.Chat is { } form)
                model.Chats.Check(form);
            DecodingNetwork.Choose(model.Network, _options, channel);
            return new(
                model.WithTemplateOf(_columns.Chat), ownsModel: _model is null, _columns, Seeds.Fix(_options.Generation, SeedOf(null)),
                _options.GenerationBatchSize, _options.DecodingPrecision, _options.WeightType);
        }
        catch when (_model is null)
        {
            model.Dispose();
            throw;
        }
    }

    private TextGenerationModel LoadModel(IChannel channel) =>
        TextBaseModel<TextGenerationModel>.Load(Host, _name!, revision: null, new DownloadLog(channel), CancellationToken.None).Merge();
}
