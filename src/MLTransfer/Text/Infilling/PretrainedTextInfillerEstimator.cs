using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Text.Infilling;

namespace MLTransfer;

/// <summary>Makes a transformer that fills masks with a pretrained model as it is. Fitting reads no data.</summary>
public sealed class PretrainedTextInfillerEstimator : ColumnMappingEstimator<TextInfillerTransformer>
{
    private readonly string? _name;
    private readonly TextInfillingModel? _model;
    private readonly InfillTextOptions _options;
    private readonly TextInfillerColumns _columns;

    internal PretrainedTextInfillerEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string? name, TextInfillingModel? model,
        InfillTextOptions options)
        : base(environment, "Loading a text infiller")
    {
        options.Check();
        if (model?.Network.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters. Merge them into its weights first.", nameof(model));
        _columns = TextInfillerColumns.Create(outputColumnName, inputColumnName, options);
        (_name, _model, _options) = (name, model, options);
    }

    private protected override IEnumerable<ColumnRole> Roles => [_columns.InputRole];

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => _columns.Outputs;

    private protected override TextInfillerTransformer Fit(IDataView input, IChannel channel)
    {
        var model = _model ?? TextBaseModel<TextInfillingModel>
            .Load(Host, _name!, revision: null, new DownloadLog(channel), CancellationToken.None).Merge();
        return new(
            model, ownsModel: _model is null, _columns, Seeds.Fix(_options.Infilling ?? model.Infilling, SeedOf(null)),
            _options.DecodingPrecision, _options.WeightType);
    }
}
