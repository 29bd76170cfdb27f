using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>
/// Reads rows ahead, batch by batch, so that their new values can be computed together, which happens when the first of them is asked for.
/// </summary>
internal sealed class MappedCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _source;
    private readonly MappedSchema _schema;
    private readonly HashSet<int> _active; // indices in the output schema
    private readonly BufferedColumn?[] _columns; // by index in the input schema
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly MappedBatch _batch;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private int _rows;
    private int _current;
    private long _position = -1;
    private bool _ended;

    public MappedCursor(
        DataViewRowCursor source, MappedSchema schema, IReadOnlyList<DataViewSchema.Column> wanted, IColumnMapping mapping)
    {
        (_source, _schema) = (source, schema);
        var slots = mapping.BatchSize;
        _active = [.. wanted.Select(column => column.Index)];
        _columns = new BufferedColumn?[schema.Input.Count];
        foreach (var index in _active.Where(index => !schema.IsNew(index)))
            _columns[index] = BufferedColumn.Create(source, schema.Input[index], slots);
        _batch = mapping.CreateBatch(source, schema.Sources, slots);
        _idGetter = source.GetIdGetter();
        (_ids, _batches) = (new DataViewRowId[slots], new long[slots]);
    }

    public override DataViewSchema Schema => _schema.Output;

    public override long Position => _position;

    public override long Batch => _position < 0 ? 0 : _batches[_current];

    public override bool MoveNext()
    {
        if (_ended)
            return false;
        if (++_current >= _rows)
        {
            ReadBatch();
            _current = 0;
            if (_rows == 0)
            {
                _ended = true;
                _position = -1;
                return false;
            }
        }

        _position++;
        return true;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = _ids[CurrentSlot()];

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        _schema.Check(column);
        return _active.Contains(column.Index);
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentException($"The column '{column.Name}' was not asked for when the cursor was made.", nameof(column));
        var getter = _schema.IsNew(column.Index)
            ? _batch.CreateGetter(_schema.NewColumn(column.Index), CurrentSlot)
            : _columns[column.Index]!.CreateGetter(CurrentSlot);
        return getter as ValueGetter<TValue>
            ?? throw new ArgumentException(
                $"The column '{column.Name}' has values of type {column.Type.RawType}, not {typeof(TValue)}.", nameof(column));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _source.Dispose();
        base.Dispose(disposing);
    }

    private int CurrentSlot() =>
        _position >= 0 ? _current : throw new InvalidOperationException("The cursor is at no row: call MoveNext first.");

    private void ReadBatch()
    {
        _batch.Clear();
        for (_rows = 0; _rows < _ids.Length && _source.MoveNext(); _rows++)
        {
            foreach (var column in _columns)
                column?.Read(_rows);
            _batch.Read(_rows);
            _idGetter(ref _ids[_rows]);
            _batches[_rows] = _source.Batch;
        }
    }
}
