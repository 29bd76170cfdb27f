using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>
/// Reads rows ahead, batch by batch, so that their prompts can be continued together. A batch is generated when the first of its generated
/// values is asked for.
/// </summary>
internal sealed class GeneratingCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _source;
    private readonly GeneratedSchema _schema;
    private readonly GeneratingTransformer _transformer;
    private readonly HashSet<int> _active; // indices in the output schema
    private readonly BufferedColumn?[] _columns; // by index in the input schema
    private readonly ValueGetter<ReadOnlyMemory<char>> _promptGetter;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly string[] _prompts;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private IReadOnlyList<IReadOnlyList<GeneratedText>>? _generated;
    private int _rows;
    private int _current;
    private long _position = -1;
    private bool _ended;

    public GeneratingCursor(
        DataViewRowCursor source, GeneratedSchema schema, IReadOnlyList<DataViewSchema.Column> wanted, GeneratingTransformer transformer)
    {
        (_source, _schema, _transformer) = (source, schema, transformer);
        var slots = transformer.GenerationBatchSize;
        _active = [.. wanted.Select(column => column.Index)];
        _columns = new BufferedColumn?[schema.Input.Count];
        foreach (var index in _active.Where(index => schema.Kind(index) is null))
            _columns[index] = BufferedColumn.Create(source, schema.Input[index], slots);
        _promptGetter = source.GetGetter<ReadOnlyMemory<char>>(schema.Prompt);
        _idGetter = source.GetIdGetter();
        (_prompts, _ids, _batches) = (new string[slots], new DataViewRowId[slots], new long[slots]);
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
        var getter = _schema.Kind(column.Index) is { } kind
            ? GeneratedValues.CreateGetter(kind, _transformer.Columns.SequencesPerPrompt, CurrentTexts)
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

    private IReadOnlyList<GeneratedText> CurrentTexts()
    {
        var slot = CurrentSlot();
        _generated ??= _transformer.Generate(_prompts.AsSpan(0, _rows).ToArray());
        return _generated[slot];
    }

    private void ReadBatch()
    {
        _generated = null;
        for (_rows = 0; _rows < _prompts.Length && _source.MoveNext(); _rows++)
        {
            foreach (var column in _columns)
                column?.Read(_rows);
            ReadOnlyMemory<char> prompt = default;
            _promptGetter(ref prompt);
            _prompts[_rows] = prompt.ToString();
            _idGetter(ref _ids[_rows]);
            _batches[_rows] = _source.Batch;
        }
    }
}
