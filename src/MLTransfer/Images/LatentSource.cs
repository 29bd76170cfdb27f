using System.Numerics;
using MLTransfer.Columns;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>The latent vectors of some rows, from a column of seeds or of the vectors themselves, or drawn for the row.</summary>
internal abstract class LatentSource
{
    public abstract int Count { get; }

    /// <summary>Takes the value of the source's current row.</summary>
    /// <exception cref="InvalidOperationException">The value is not usable.</exception>
    public abstract void Add();

    public abstract void Clear();

    /// <summary>[rows, width].</summary>
    public abstract Tensor ToTensor();

    /// <summary>
    /// Latent vectors that a seed and a row's id decide on: the id stays with the row in whatever order, part or cursor it is read, unlike
    /// its position.
    /// </summary>
    public static LatentSource Draw(DataViewRow source, long seed, int width) => new Drawn(source, seed, width);

    public static LatentSource Create(DataViewRow source, DataViewSchema.Column column, int width) => column.Type is VectorDataViewType
        ? new Vectors(ColumnValues.Create(source, column, [width], ImageScaling.ZeroToOne), width)
        : (LatentSource)Activator.CreateInstance(typeof(Seeds<>).MakeGenericType(column.Type.RawType), source, column, width)!;

    /// <summary>Rows of values as a tensor: [rows, width].</summary>
    public static Tensor ToTensor(ColumnValues values, int width)
    {
        var numbers = new float[values.Count * width];
        for (var row = 0; row < values.Count; row++)
            values.CopyTo(row, numbers.AsSpan(row * width, width));
        return tensor(numbers, [values.Count, width]);
    }

    private sealed class Vectors(ColumnValues values, int width) : LatentSource
    {
        public override int Count => values.Count;

        public override void Add() => values.Add();

        public override void Clear() => values.Clear();

        public override Tensor ToTensor() => ToTensor(values, width);
    }

    private sealed class Drawn(DataViewRow source, long seed, int width) : LatentSource
    {
        private readonly ValueGetter<DataViewRowId> _getter = source.GetIdGetter();
        private readonly List<DataViewRowId> _ids = [];

        public override int Count => _ids.Count;

        public override void Add()
        {
            DataViewRowId id = default;
            _getter(ref id);
            _ids.Add(id);
        }

        public override void Clear() => _ids.Clear();

        public override Tensor ToTensor()
        {
            var numbers = new float[_ids.Count * width];
            for (var row = 0; row < _ids.Count; row++)
            {
                var random = new SplitMix64(SplitMix64.Mix((ulong)seed, _ids[row].Low, _ids[row].High));
                foreach (ref var number in numbers.AsSpan(row * width, width))
                    number = (float)random.NextNormal();
            }

            return tensor(numbers, [_ids.Count, width]);
        }
    }

    private sealed class Seeds<T>(DataViewRow source, DataViewSchema.Column column, int width) : LatentSource
        where T : struct, INumber<T>
    {
        private readonly ValueGetter<T> _getter = source.GetGetter<T>(column);
        private readonly List<long> _seeds = [];

        public override int Count => _seeds.Count;

        public override void Add()
        {
            T value = default;
            _getter(ref value);
            if (!T.IsInteger(value) || T.CreateSaturating(long.CreateSaturating(value)) != value)
            {
                throw new InvalidOperationException(
                    $"Row {source.Position} (from 0), column '{column.Name}' has the seed {value}; expected a whole number of at most "
                    + "64 bits.");
            }

            _seeds.Add(long.CreateSaturating(value));
        }

        public override void Clear() => _seeds.Clear();

        public override Tensor ToTensor() => SeedLatents.Create(_seeds, width);
    }
}
