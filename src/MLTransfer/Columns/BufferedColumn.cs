using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>Keeps the values that one column of a cursor has in the rows of a batch.</summary>
internal abstract class BufferedColumn
{
    /// <summary>Takes the value of the cursor's current row.</summary>
    public abstract void Read(int slot);

    /// <summary>A <c>ValueGetter</c> of the column's type for the slot that <paramref name="current"/> tells.</summary>
    public abstract Delegate CreateGetter(Func<int> current);

    public static BufferedColumn Create(DataViewRowCursor cursor, DataViewSchema.Column column, int slots)
    {
        var type = column.Type is VectorDataViewType vector
            ? typeof(BufferedVectorColumn<>).MakeGenericType(vector.ItemType.RawType)
            : typeof(BufferedScalarColumn<>).MakeGenericType(column.Type.RawType);
        return (BufferedColumn)Activator.CreateInstance(type, cursor, column, slots)!;
    }
}

internal sealed class BufferedScalarColumn<T>(DataViewRowCursor cursor, DataViewSchema.Column column, int slots) : BufferedColumn
{
    private readonly ValueGetter<T> _getter = cursor.GetGetter<T>(column);
    private readonly T[] _values = new T[slots];

    public override void Read(int slot)
    {
        _values[slot] = default!; // a source may dispose the value that it is handed, such as an image, which somebody may still look at
        _getter(ref _values[slot]);
    }

    public override Delegate CreateGetter(Func<int> current) => (ValueGetter<T>)((ref T value) => value = _values[current()]);
}

internal sealed class BufferedVectorColumn<T>(DataViewRowCursor cursor, DataViewSchema.Column column, int slots) : BufferedColumn
{
    private readonly ValueGetter<VBuffer<T>> _getter = cursor.GetGetter<VBuffer<T>>(column);
    private readonly VBuffer<T>[] _values = new VBuffer<T>[slots];

    public override void Read(int slot) => _getter(ref _values[slot]);

    // A copy: who gets the value may write into its arrays, or hand them back to be filled with another row's.
    public override Delegate CreateGetter(Func<int> current) =>
        (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values[current()].CopyTo(ref value));
}
