using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Adds columns that a network computes of other columns, many rows at a time.</summary>
/// <remarks>
/// Rows are read and new values are computed while the result is enumerated, and only where a new column is asked for. Rows stay in order.
/// Several threads may enumerate results at once.
/// </remarks>
public abstract class ColumnMappingTransformer : ITransformer, IColumnMapping, IDisposable
{
    private readonly int _batchSize;
    private volatile bool _disposed;

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
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, this);
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(inputSchema, this);
    }

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ThrowIfDisposed();
        Save(ctx);
    }

    /// <inheritdoc/>
    IReadOnlyList<DataViewSchema.Column> IColumnMapping.FindInputs(DataViewSchema schema) => FindInputs(schema);

    /// <inheritdoc/>
    MappedBatch IColumnMapping.CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        CreateBatch(source, inputs, slots);

    /// <summary>Frees the network, unless it was handed in from outside.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Free();
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

    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);
}
