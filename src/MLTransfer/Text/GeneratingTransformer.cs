using MLTransfer.Columns;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Text;

/// <summary>Continues the prompts of a text column, whatever runs the model.</summary>
/// <remarks>
/// Rows are read and texts are generated while the result is enumerated, in batches of <see cref="GenerationBatchSize"/>, and only where a
/// generated column is asked for. Rows stay in order. A row's text depends on its prompt and the seed alone. An empty or missing prompt is
/// continued from the beginning-of-sequence token. Several threads may enumerate results at once.
/// </remarks>
public abstract class GeneratingTransformer : ITransformer, IColumnMapping, IDisposable
{
    private protected GeneratingTransformer(TextGeneratorColumns columns, GenerationOptions generation, int generationBatchSize) =>
        (Columns, Generation, GenerationBatchSize) = (columns, generation, generationBatchSize);

    /// <summary>How texts are generated.</summary>
    public GenerationOptions Generation { get; }

    /// <summary>Prompts that are continued together.</summary>
    public int GenerationBatchSize { get; }

    internal TextGeneratorColumns Columns { get; }

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
        Save(ctx);
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

    /// <summary>Frees the model, unless it was handed in from outside.</summary>
    public void Dispose()
    {
        FreeModel();
        GC.SuppressFinalize(this);
    }

    internal IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(IReadOnlyList<string> prompts) =>
        Generate(prompts, Generation with { BatchSize = GenerationBatchSize });

    private protected abstract IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(IReadOnlyList<string> prompts, GenerationOptions options);

    private protected abstract void Save(ModelSaveContext context);

    private protected abstract void FreeModel();
}
