using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Frozen;

/// <summary>A matrix that is not trained, in blocks of few bits. Parts of it become numbers when they are multiplied with.</summary>
internal abstract class FrozenMatrix : IDisposable
{
    private protected FrozenMatrix(Tensor weight) => (Rows, Columns) = (checked((int)weight.size(0)), checked((int)weight.size(1)));

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>What the matrix takes in memory.</summary>
    public abstract long Bytes { get; }

    /// <summary>Rounds a matrix.</summary>
    /// <param name="weight">[rows, columns], contiguous float32, bfloat16 or float16 on the CPU.</param>
    /// <param name="format">Of the blocks.</param>
    /// <exception cref="ArgumentException">A weight is not finite.</exception>
    public static FrozenMatrix Create(Tensor weight, FrozenFormat format) => format switch
    {
        FrozenFormat.Int8 => new RoundedMatrix(weight, GgufTensorType.Q8_0),
        FrozenFormat.Int4 => new RoundedMatrix(weight, GgufTensorType.Q4_0),
        FrozenFormat.NormalFloat4 => new NormalFloatMatrix(weight, doublyQuantized: false),
        FrozenFormat.DoubleNormalFloat4 => new NormalFloatMatrix(weight, doublyQuantized: true),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, $"{format} is no {nameof(FrozenFormat)}."),
    };

    /// <summary>The bits of a weight, its share of scales included.</summary>
    public static double BitsOf(FrozenFormat format) => format switch
    {
        FrozenFormat.Int8 => 8.5,
        FrozenFormat.DoubleNormalFloat4 => 4 + 8.0 / 64 + 32.0 / (64 * 256),
        _ => 4.5,
    };

    /// <summary>Rounds pieces on all cores, and frees what was read of the weight where it is mapped from a file.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="pieces">How many there are: rows, or blocks.</param>
    /// <param name="length">The elements of a piece.</param>
    /// <param name="round">Rounds pieces from a first to an end.</param>
    private protected static void Round(Tensor weight, int pieces, int length, Action<int, int> round)
    {
        const int ReadAtOnce = 1 << 24;
        var most = Math.Max(1, ReadAtOnce / length);
        for (var first = 0; first < pieces; first += most)
        {
            var (start, count) = (first, Math.Min(most, pieces - first));
            RowBlocks.Run(count, RowBlocks.RowsFor(length), get_num_threads(), (_, from, to) => round(start + from, start + to));
            var element = (long)start * length;
            MappedFile.ReleaseUnchanged(weight, element, Math.Min((long)count * length, weight.numel() - element));
        }
    }

    /// <summary>A part as numbers: [rows, columns] of a type.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first column, a multiple of 64.</param>
    /// <param name="columns">How many: a multiple of 64, or all to the end.</param>
    /// <param name="type">Float32 or bfloat16.</param>
    public Tensor Part(int row, int rows, int column, int columns, ScalarType type)
    {
        var part = empty([rows, columns], type);
        var target = new TypedRows(part);
        RowBlocks.Run(rows, RowBlocks.RowsFor(columns), get_num_threads(), (_, start, end) =>
        {
            using var buffer = new RowBuffer(columns);
            for (var i = start; i < end; i++)
            {
                var values = target.Begin(i, buffer.Span);
                Read(row + i, column, values);
                target.Finish(i, values);
            }
        });
        GC.KeepAlive(this);
        return part;
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Neighbours of a row as numbers.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The first, a multiple of 64.</param>
    /// <param name="values">A multiple of 64, or all to the end of the row.</param>
    private protected abstract void Read(int row, int column, Span<float> values);

    private protected static ArgumentException NotFinite() =>
        new("A frozen matrix has a weight that is not finite. Train without a format for frozen matrices to see where it comes from.");
}
