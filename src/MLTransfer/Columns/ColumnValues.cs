using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Columns;

/// <summary>The values that a column has in many rows, kept as they came, and given as the numbers of a tensor.</summary>
internal abstract class ColumnValues
{
    /// <summary>How many rows there are.</summary>
    public abstract int Count { get; }

    /// <summary>Takes the value of the source's current row.</summary>
    /// <exception cref="InvalidOperationException">The value is missing or has another size.</exception>
    public abstract void Add();

    public abstract void Clear();

    /// <summary>Writes the numbers of a row.</summary>
    public abstract void CopyTo(int row, Span<float> values);

    /// <summary>The values of a column that <see cref="TensorColumn"/> accepted.</summary>
    /// <param name="source">The rows.</param>
    /// <param name="column">The column.</param>
    /// <param name="shape">The shape of a row's tensor.</param>
    /// <param name="scaling">How pixels become numbers.</param>
    public static ColumnValues Create(
        DataViewRow source, DataViewSchema.Column column, IReadOnlyList<long> shape, ImageScaling scaling) => column.Type switch
    {
        VectorDataViewType => new Vectors(source, column, checked((int)TensorColumn.ElementCount(shape))),
        ImageDataViewType => new Images(source, column, shape, scaling),
        KeyDataViewType => (ColumnValues)Activator.CreateInstance(typeof(Keys<>).MakeGenericType(column.Type.RawType), source, column)!,
        BooleanDataViewType => new Scalars<bool>(source, column, value => value ? 1 : 0),
        _ => new Scalars<float>(source, column, value => value),
    };

    private static InvalidOperationException Unusable(DataViewRow source, DataViewSchema.Column column, string what) =>
        new($"Row {source.Position} (from 0), column '{column.Name}': {what}.");

    private sealed class Vectors(DataViewRow source, DataViewSchema.Column column, int size) : ColumnValues
    {
        private readonly ValueGetter<VBuffer<float>> _getter = source.GetGetter<VBuffer<float>>(column);
        private readonly List<float[]> _rows = [];
        private VBuffer<float> _value;

        public override int Count => _rows.Count;

        public override void Add()
        {
            _getter(ref _value);
            if (_value.Length != size)
                throw Unusable(source, column, $"the vector has {_value.Length} values; {size} are expected");
            var row = new float[size];
            _value.CopyTo(row);
            _rows.Add(row);
        }

        public override void Clear() => _rows.Clear();

        public override void CopyTo(int row, Span<float> values) => _rows[row].CopyTo(values);
    }

    private sealed class Scalars<T>(DataViewRow source, DataViewSchema.Column column, Func<T, float> convert) : ColumnValues
    {
        private readonly ValueGetter<T> _getter = source.GetGetter<T>(column);
        private readonly List<float> _rows = [];

        public override int Count => _rows.Count;

        public override void Add()
        {
            T value = default!;
            _getter(ref value);
            _rows.Add(convert(value));
        }

        public override void Clear() => _rows.Clear();

        public override void CopyTo(int row, Span<float> values) => values[0] = _rows[row];
    }

    // A key counts from 1; 0 is a missing one.
    private sealed class Keys<T>(DataViewRow source, DataViewSchema.Column column) : ColumnValues
        where T : struct, System.Numerics.IBinaryInteger<T>
    {
        private readonly ValueGetter<T> _getter = source.GetGetter<T>(column);
        private readonly ulong _classes = ((KeyDataViewType)column.Type).Count;
        private readonly List<int> _rows = [];

        public override int Count => _rows.Count;

        public override void Add()
        {
            T value = default;
            _getter(ref value);
            var key = ulong.CreateSaturating(value);
            if (key == 0 || key > _classes)
                throw Unusable(source, column, "the key is missing. Filter such rows out");
            _rows.Add((int)(key - 1));
        }

        public override void Clear() => _rows.Clear();

        public override void CopyTo(int row, Span<float> values)
        {
            values.Clear();
            values[_rows[row]] = 1;
        }
    }

    private sealed class Images(DataViewRow source, DataViewSchema.Column column, IReadOnlyList<long> shape, ImageScaling scaling)
        : ColumnValues
    {
        private readonly ValueGetter<MLImage> _getter = source.GetGetter<MLImage>(column);
        private readonly (int Channels, int Height, int Width) _size = ((int)shape[0], (int)shape[1], (int)shape[2]);
        private readonly List<byte[]> _rows = [];
        private MLImage? _value; // the source may dispose the image of the last row when it gives the next

        public override int Count => _rows.Count;

        public override void Add()
        {
            _getter(ref _value!);
            if (_value is null)
                throw Unusable(source, column, "the image is missing. Filter such rows out");
            if (_value.Height != _size.Height || _value.Width != _size.Width)
            {
                throw Unusable(source, column, $"the image has {_value.Height} rows and {_value.Width} columns; "
                    + $"{_size.Height} and {_size.Width} are expected. Put ResizeImages in front");
            }

            _rows.Add(ImagePlanes.Read(_value, _size.Channels));
        }

        public override void Clear() => _rows.Clear();

        public override void CopyTo(int row, Span<float> values)
        {
            var planes = _rows[row];
            var count = planes.Length / _size.Channels;
            for (var channel = 0; channel < _size.Channels; channel++)
            {
                var (factor, offset) = scaling.Channel(channel);
                for (var i = channel * count; i < (channel + 1) * count; i++)
                    values[i] = planes[i] * factor + offset;
            }
        }
    }
}
