using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLTransfer.Mapping;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;

[assembly: LoadableClass("Continues prompts with a language model", typeof(TextGeneratorTransformer), typeof(TextGeneratorTransformer), null,
    typeof(SignatureLoadModel), "Text generator", TextGeneratorTransformer.LoaderSignature)]

namespace MLTransfer.Text;

/// <summary>
/// Continues the prompts of a text column. Made by <see cref="TextGeneratorEstimator"/> or <see cref="PretrainedTextGeneratorEstimator"/>.
/// </summary>
/// <remarks>
/// Rows are read and texts are generated while the result is enumerated, in batches of <see cref="GenerationBatchSize"/>, and only where a
/// generated column is asked for. Rows stay in order. A row's text depends on its prompt and the seed alone. An empty or missing prompt is
/// continued from the beginning-of-sequence token. Several threads may enumerate results at once.
/// </remarks>
public sealed class TextGeneratorTransformer : ITransformer, IColumnMapping, IDisposable
{
    internal const string LoaderSignature = "TextGenerator";

    private readonly bool _ownsModel;
    private readonly Lazy<TextGenerationModel> _decoder;

    internal TextGeneratorTransformer(
        TextGenerationModel model,
        bool ownsModel,
        TextGeneratorColumns columns,
        GenerationOptions generation,
        int generationBatchSize,
        DecodingPrecision decodingPrecision,
        WeightType weightType,
        BaseModelReference? baseModel = null,
        TrainingResult? trainingResult = null)
    {
        (Model, _ownsModel, Columns, Generation) = (model, ownsModel, columns, generation);
        (GenerationBatchSize, DecodingPrecision, WeightType) = (generationBatchSize, decodingPrecision, weightType);
        (BaseModel, TrainingResult) = (baseModel, trainingResult);
        _decoder = new Lazy<TextGenerationModel>(() => model.ConvertTo(decodingPrecision));
    }

    /// <summary>The network and its tokenizer.</summary>
    public TextGenerationModel Model { get; }

    /// <summary>How texts are generated.</summary>
    public GenerationOptions Generation { get; }

    /// <summary>Prompts that are continued together.</summary>
    public int GenerationBatchSize { get; }

    /// <summary>The number format that texts are generated with.</summary>
    public DecodingPrecision DecodingPrecision { get; }

    /// <summary>The number format of weights in a saved model file.</summary>
    public WeightType WeightType { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public TrainingResult? TrainingResult { get; }

    internal TextGeneratorColumns Columns { get; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    internal BaseModelReference? BaseModel { get; }

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The schema after this transformer.</summary>
    /// <exception cref="ArgumentException">The input column is missing, or does not hold text.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedSchema(inputSchema, this).Output;
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(inputSchema, this);
    }

    /// <summary>Adds the generated columns. Nothing is read or generated before the result is enumerated.</summary>
    /// <exception cref="ArgumentException">The input column is missing, or does not hold text.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, this);
    }

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        TextGeneratorFile.Save(ctx, this);
    }

    /// <inheritdoc/>
    int IColumnMapping.BatchSize => GenerationBatchSize;

    /// <inheritdoc/>
    IReadOnlyList<(string Name, DataViewType Type)> IColumnMapping.NewColumns =>
        [.. Columns.Generated.Select(column => (column.Name, column.Type))];

    /// <inheritdoc/>
    IReadOnlyList<DataViewSchema.Column> IColumnMapping.FindInputs(DataViewSchema schema) => [TextGeneratorColumns.FindText(schema, "input", Columns.Input)];

    /// <inheritdoc/>
    MappedBatch IColumnMapping.CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) => new GeneratedTextBatch(
        this, [.. Columns.Generated.Select(column => column.Kind)], source.GetGetter<ReadOnlyMemory<char>>(inputs[0]), slots);

    /// <summary>Frees the network, unless it was handed in from outside.</summary>
    public void Dispose()
    {
        if (_decoder.IsValueCreated && _decoder.Value != Model)
            _decoder.Value.Dispose();
        if (_ownsModel)
            Model.Dispose();
    }

    internal IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(IReadOnlyList<string> prompts) =>
        _decoder.Value.Generate(prompts, Generation with { BatchSize = GenerationBatchSize });

    /// <summary>The model with its adapters merged, as a new object; null where there are none.</summary>
    internal TextGenerationModel? LoadMergedModel()
    {
        if (BaseModel is null)
            return null;
        using var memory = new MemoryStream();
        SafetensorsWriter.Write(memory, PeftAdapterFolder.Tensors(Model.Network));
        memory.Position = 0;
        using var adapters = SafetensorsFile.Read(memory);
        var configuration = JsonNode.Parse(PeftAdapterFolder.FormatConfiguration(Model.Network, BaseModel.Id))!.AsObject();
        var merged = BaseModel.Load();
        PeftAdapterFolder.Load(merged.Network, configuration, adapters, BaseModel.Id);
        LowRankAdaptation.Merge(merged.Network);
        return merged;
    }

    // Called by ML.NET when it loads a model file.
    internal static TextGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => TextGeneratorFile.Load(ctx);
}
