using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Slices of equal width inside rows of a buffer, [rows, slices, width]: the heads of queries, of keys or of values that one row holds
/// side by side, or, as one slice, the gates of a feed-forward layer beside what they let through.
/// </summary>
internal readonly ref struct RowSlices
{
    private readonly Span<float> _buffer; // from the first slice on

    /// <summary>All of a buffer.</summary>
    /// <param name="buffer">[rows, slices, width].</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="slices">The slices of a row.</param>
    /// <param name="width">The width of a slice.</param>
    public RowSlices(Span<float> buffer, int rows, int slices, int width)
        : this(buffer, rows, slices, width, checked(slices * width), width)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(buffer.Length, checked(rows * slices * width));
    }

    private RowSlices(Span<float> buffer, int rows, int slices, int width, int rowStride, int sliceStride)
    {
        _buffer = buffer;
        (Rows, Slices, Width, RowStride, SliceStride) = (rows, slices, width, rowStride, sliceStride);
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The slices of a row.</summary>
    public int Slices { get; }

    /// <summary>The width of a slice.</summary>
    public int Width { get; }

    /// <summary>What lies between the beginnings of two rows.</summary>
    public int RowStride { get; }

    /// <summary>What lies between the beginnings of two slices of a row.</summary>
    public int SliceStride { get; }

    /// <summary>One slice.</summary>
    public Span<float> this[int row, int slice] => _buffer.Slice(row * RowStride + slice * SliceStride, Width);

    /// <summary>Some of the slices that the rows of a buffer hold.</summary>
    /// <param name="buffer">[rows, any].</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="start">Where in its row the first slice begins.</param>
    /// <param name="slices">The slices of a row.</param>
    /// <param name="width">The width of a slice.</param>
    /// <param name="sliceStride">What lies between the beginnings of two slices; the width where it is not given.</param>
    public static RowSlices Within(Span<float> buffer, int rows, int start, int slices, int width, int? sliceStride = null)
    {
        var (stride, rowStride) = (sliceStride ?? width, rows == 0 ? 0 : buffer.Length / rows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(buffer.Length, checked(rows * rowStride));
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, width);
        if (rows > 0)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(checked(start + (slices - 1) * stride + width), rowStride, nameof(width));
        return new(rows == 0 ? buffer : buffer[start..], rows, slices, width, rowStride, stride);
    }

    /// <exception cref="ArgumentException">The shape is another.</exception>
    public void CheckShape(RowSlices expected)
    {
        if ((Rows, Slices, Width) != (expected.Rows, expected.Slices, expected.Width))
        {
            throw new ArgumentException(
                $"Slices are [{Rows}, {Slices}, {Width}] where [{expected.Rows}, {expected.Slices}, {expected.Width}] are expected.");
        }
    }

    /// <summary>For <c>fixed</c>: the first number of the first slice.</summary>
    public ref float GetPinnableReference() => ref MemoryMarshal.GetReference(_buffer);
}
