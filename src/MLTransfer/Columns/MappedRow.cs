using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>One row with new columns, for <c>PredictionEngine</c>. It follows its input row, whose values may change.</summary>
internal sealed class MappedRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly MappedSchema _schema;
    private readonly HashSet<int> _active;
    private readonly MappedBatch? _batch;

    public MappedRow(DataViewRow input, MappedSchema schema, IEnumerable<DataViewSchema.Column> active, IColumnMapping mapping)
    {
        (_input, _schema) = (input, schema);
        _active = [.. active.Select(column => column.Index)];
        if (_active.Any(schema.IsNew))
            _batch = mapping.CreateBatch(input, [.. schema.Sources.Select(source => input.Schema[source.Index])], slots: 1);
    }

    public override DataViewSchema Schema => _schema.Output;

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        _schema.Check(column);
        return _active.Contains(column.Index);
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentException($"The column '{column.Name}' was not asked for when the row was made.", nameof(column));
        if (!_schema.IsNew(column.Index))
            return _input.GetGetter<TValue>(_input.Schema[column.Index]);
        return _batch!.CreateGetter(_schema.NewColumn(column.Index), CurrentSlot) as ValueGetter<TValue>
            ?? throw new ArgumentException(
                $"The column '{column.Name}' has values of type {column.Type.RawType}, not {typeof(TValue)}.", nameof(column));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    private int CurrentSlot()
    {
        _batch!.Read(0);
        return 0;
    }
}
