using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLTransfer;
using MLTransfer.Columns;
using MLTransfer.Onnx;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Text.Infilling;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Training.Language;

[assembly: LoadableClass("Fills the masks of texts with a masked language model", typeof(TextInfillerTransformer),
    typeof(TextInfillerTransformer), null, typeof(SignatureLoadModel), "Text infiller", TextInfillerTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Fills the masks in the texts of a column with TorchSharp. Made by <see cref="TextInfillerEstimator"/> or
/// <see cref="PretrainedTextInfillerEstimator"/>.
/// </summary>
/// <remarks>
/// Texts are filled in batches of <see cref="InfillingOptions.BatchSize"/> rows, and only where a made column is asked for. What a row is
/// filled with depends on its text and the seed alone. A text without a mask, an empty one too, stays as it is unless
/// <see cref="InfillingOptions.MaskedShare"/> says how much of it is to be written anew.
/// </remarks>
public sealed class TextInfillerTransformer
    : ColumnMappingTransformer, IOnnxExport, IModelFolder, ITextModelOwner<TextInfillingModel>, IInfillingEvaluation,
        ITextEmbedding
{
    internal const string LoaderSignature = "TextInfiller";

    private readonly bool _ownsModel;
    private readonly Lazy<TextInfillingModel> _filler;

    internal TextInfillerTransformer(
        TextInfillingModel model,
        bool ownsModel,
        TextInfillerColumns columns,
        InfillingOptions infilling,
        DecodingPrecision decodingPrecision,
        WeightType weightType,
        BaseModelReference? baseModel = null,
        TrainingResult? trainingResult = null)
        : base(infilling.BatchSize)
    {
        (Model, _ownsModel, Columns, Infilling) = (model, ownsModel, columns, infilling);
        (DecodingPrecision, WeightType, BaseModel, TrainingResult) = (decodingPrecision, weightType, baseModel, trainingResult);
        _filler = new Lazy<TextInfillingModel>(() => model.ConvertTo(decodingPrecision));
    }

    /// <summary>The network and its tokenizer.</summary>
    public TextInfillingModel Model { get; }

    /// <summary>How masks are filled.</summary>
    public InfillingOptions Infilling { get; }

    /// <summary>The number format that masks are filled with.</summary>
    public DecodingPrecision DecodingPrecision { get; }

    /// <summary>The number format of weights in a saved model file.</summary>
    public WeightType WeightType { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public TrainingResult? TrainingResult { get; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    internal BaseModelReference? BaseModel { get; }

    /// <inheritdoc/>
    BaseModelReference? ITextModelOwner<TextInfillingModel>.BaseModel => BaseModel;

    internal TextInfillerColumns Columns { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => Columns.Outputs;

    internal IReadOnlyList<InfilledText> Infill(IReadOnlyList<string> texts)
    {
        using var hold = Hold();
        return _filler.Value.Infill(texts, Infilling);
    }

    /// <inheritdoc/>
    string ITextEmbedding.ModelName => ((ITextModel)Model).Name;

    /// <inheritdoc/>
    TextEmbedder ITextEmbedding.Embedder
    {
        get
        {
            using var hold = Hold();
            return Model.Embedder;
        }
    }

    /// <inheritdoc/>
    TextBaseModel<TextInfillingModel> ITextModelOwner<TextInfillingModel>.CopyModel(bool keepsMatrices)
    {
        using var hold = Hold();
        var copy = TextBaseModel<TextInfillingModel>.CopyOf(Model, keepsMatrices, BaseModel);
        copy.Model.Infilling = Infilling;
        return copy;
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return Model.ExportToOnnx(path, options, channel, cancellationToken);
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var merged = BaseModel is null ? null : TextModelFile.LoadMerged(Model, BaseModel);
        var model = merged ?? Model;
        model.Save(folder, weightType, Infilling);
    }

    /// <inheritdoc/>
    TextInfillingMetrics IInfillingEvaluation.Evaluate(
        IDataView data, string? textColumn, InfillingEvaluationOptions options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var role = textColumn is null ? Columns.TrainingRole : ColumnRole.Text("text", textColumn);
        return InfillingEvaluator.Evaluate(Model, data, role, options, cancellationToken);
    }

    // Called by ML.NET when it loads a model file.
    internal static TextInfillerTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        TextInfillerFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) => [Columns.InputRole.Find(schema)];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new InfilledTextBatch(this, [.. Columns.Made.Select(made => made.Kind)], source.GetGetter<ReadOnlyMemory<char>>(inputs[0]), slots);

    private protected override void Save(ModelSaveContext context) => TextInfillerFile.Save(context, this);

    private protected override void Free()
    {
        if (_filler.IsValueCreated && _filler.Value != Model)
            _filler.Value.Dispose();
        if (_ownsModel)
            Model.Dispose();
    }
}
