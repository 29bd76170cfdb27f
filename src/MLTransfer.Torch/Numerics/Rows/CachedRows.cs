using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// The keys and values of one layer in memory, each [sequences, heads, capacity, head width]: cached ones of a decoder, or those that
/// cross-attention has computed once of an encoder's output. Heads are key-value heads, which several query heads may share.
/// </summary>
/// <param name="Keys">The first key.</param>
/// <param name="Values">The first value.</param>
/// <param name="ElementType">Float32, BFloat16 or Float16.</param>
/// <param name="Sequences">The number of sequences.</param>
/// <param name="Heads">The number of key-value heads.</param>
/// <param name="HeadWidth">The width of one head.</param>
/// <param name="Capacity">How many positions fit.</param>
/// <param name="Length">How many positions are filled.</param>
internal readonly unsafe record struct CachedRows(
    nint Keys, nint Values, ScalarType ElementType, int Sequences, int Heads, int HeadWidth, int Capacity, int Length)
{
    /// <summary>Keys and values of tensors that <see cref="RowMatrix.Supports"/> holds for. The caller keeps them alive.</summary>
    /// <param name="keys">[sequences, heads, capacity, head width].</param>
    /// <param name="values">The same shape and type.</param>
    /// <param name="length">How many positions are filled; all where it is not given.</param>
    public static CachedRows Of(Tensor keys, Tensor values, int? length = null)
    {
        if (keys.dim() != 4 || !keys.shape.AsSpan().SequenceEqual(values.shape) || keys.dtype != values.dtype)
        {
            throw new ArgumentException(
                $"Keys are {keys.dtype} [{string.Join(", ", keys.shape)}] and values {values.dtype} [{string.Join(", ", values.shape)}]. "
                + "Give both as [sequences, heads, capacity, head width] of one type.", nameof(values));
        }

        var (sequences, heads, capacity, headWidth) = ((int)keys.size(0), (int)keys.size(1), (int)keys.size(2), (int)keys.size(3));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(length ?? capacity), (uint)capacity, nameof(length));
        return new(
            (nint)NativeTensor.Pointer(keys), (nint)NativeTensor.Pointer(values), RowMatrix.CheckType(keys.dtype),
            sequences, heads, headWidth, capacity, length ?? capacity);
    }

    /// <summary>Overwrites the keys and values of one position.</summary>
    /// <param name="position">The position, the same in all sequences.</param>
    /// <param name="keys">[sequences, heads, head width].</param>
    /// <param name="values">[sequences, heads, head width].</param>
    public void Store(int position, RowSlices keys, RowSlices values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Capacity, nameof(position));
        Store(position, keys, (void*)Keys);
        Store(position, values, (void*)Values);
    }

    /// <summary>Copies neighbouring positions of all sequences and heads.</summary>
    /// <param name="start">The first position.</param>
    /// <param name="target">Of the same sequences, heads, width and type.</param>
    /// <param name="targetStart">Where the first position goes.</param>
    /// <param name="count">How many positions.</param>
    public void CopyTo(int start, CachedRows target, int targetStart, int count)
    {
        if ((Sequences, Heads, HeadWidth, ElementType) != (target.Sequences, target.Heads, target.HeadWidth, target.ElementType))
            throw new ArgumentException($"Positions of {this} do not fit into {target}.", nameof(target));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start + (uint)count, (uint)Capacity, nameof(start));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)targetStart + (uint)count, (uint)target.Capacity, nameof(targetStart));
        var position = (long)HeadWidth * NativeTensor.ElementSize(ElementType); // in bytes
        for (var head = 0L; head < (long)Sequences * Heads; head++)
        {
            var (from, to, bytes) =
                ((head * Capacity + start) * position, (head * target.Capacity + targetStart) * position, count * position);
            Buffer.MemoryCopy((byte*)Keys + from, (byte*)target.Keys + to, bytes, bytes);
            Buffer.MemoryCopy((byte*)Values + from, (byte*)target.Values + to, bytes, bytes);
        }
    }

    private void Store(int position, RowSlices source, void* target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Rows, Sequences, nameof(source));
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Slices, Heads, nameof(source));
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Width, HeadWidth, nameof(source));
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            for (var head = 0; head < Heads; head++)
            {
                var offset = (((nint)sequence * Heads + head) * Capacity + position) * HeadWidth;
                var slice = source[sequence, head];
                switch (ElementType)
                {
                    case ScalarType.BFloat16:
                        BFloat16Bits.Narrow(slice, new Span<ushort>((ushort*)target + offset, HeadWidth));
                        break;
                    case ScalarType.Float16:
                        Float16Bits.Narrow(slice, new Span<Half>((Half*)target + offset, HeadWidth));
                        break;
                    default:
                        slice.CopyTo(new Span<float>((float*)target + offset, HeadWidth));
                        break;
                }
            }
        }
    }
}
