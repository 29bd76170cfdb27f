using MLTransfer.Columns;
using MLTransfer.Torch.Memory;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Adds columns that a network computes of other columns, many rows at a time.</summary>
/// <remarks>
/// Rows are read and new values are computed while the result is enumerated, and only where a new column is asked for. Rows stay in order.
/// Several threads may enumerate results at once. It may be disposed at any time: calls under way go on, later ones are refused, those of
/// cursors and prediction engines among them, and the network is freed when the last call has ended.
/// </remarks>
public abstract class ColumnMappingTransformer : ITransformer, IColumnMapping, IDisposable
{
    private const string Remedy = "A PredictionEngine disposes its model along with itself, unless it is made with "
        + "new PredictionEngineOptions { OwnsTransformer = false }.";

    private readonly int _batchSize;
    private readonly UseCount _uses = new();

    /// <param name="batchSize">Rows that are computed together.</param>
    private protected ColumnMappingTransformer(int batchSize) => _batchSize = batchSize;

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <inheritdoc/>
    int IColumnMapping.BatchSize => _batchSize;

    /// <inheritdoc/>
    IReadOnlyList<OutputColumn> IColumnMapping.Outputs => Outputs;

    /// <summary>The new columns in the order of the output schema.</summary>
    private protected abstract IReadOnlyList<OutputColumn> Outputs { get; }

    /// <summary>The schema after this transformer.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedSchema(inputSchema, this).Output;
    }

    /// <summary>Adds the new columns. Nothing is read or computed before the result is enumerated.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        return new MappedDataView(input, this);
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        using var hold = Hold();
        return new MappedRowMapper(inputSchema, this);
    }

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        using var hold = Hold();
        Save(ctx);
    }

    /// <inheritdoc/>
    IReadOnlyList<DataViewSchema.Column> IColumnMapping.FindInputs(DataViewSchema schema) => FindInputs(schema);

    /// <inheritdoc/>
    MappedBatch IColumnMapping.CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        CreateBatch(source, inputs, slots);

    /// <summary>Frees the network, unless it was handed in from outside, as soon as no call uses it.</summary>
    public void Dispose()
    {
        _uses.Dispose(Free);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="IColumnMapping.FindInputs"/>
    private protected abstract IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema);

    /// <inheritdoc cref="IColumnMapping.CreateBatch"/>
    private protected abstract MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots);

    /// <summary>Writes the transformer's part of a model file.</summary>
    private protected abstract void Save(ModelSaveContext context);

    /// <summary>Frees what belongs to this object.</summary>
    private protected abstract void Free();

    /// <summary>Begins a call that uses what belongs to this object.</summary>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    private protected UseCount.Hold Hold() => _uses.Begin(GetType(), Remedy);
}
