namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>What a pickle says of a tensor: a view of a storage, checked to lie within it. Offset and strides count elements.</summary>
internal sealed class PickledTensor
{
    private PickledTensor(PickledStorage storage, long offset, long[] shape, long[] strides, long span)
    {
        Storage = storage;
        Offset = offset;
        Shape = shape;
        Strides = strides;
        Span = span;
        IsContiguous = AreRowMajor(shape, strides);
    }

    public PickledStorage Storage { get; }

    public long Offset { get; }

    public long[] Shape { get; }

    public long[] Strides { get; }

    /// <summary>The elements from the first to the last that the tensor reaches, both included.</summary>
    public long Span { get; }

    /// <summary>Whether the elements lie one after the other in row-major order (also where there are none).</summary>
    public bool IsContiguous { get; }

    /// <summary>Checks the numbers that a file gives.</summary>
    /// <returns>What is wrong with them, or null.</returns>
    public static string? TryCreate(PickledStorage storage, long offset, long[] shape, long[] strides, out PickledTensor? tensor)
    {
        tensor = null;
        if (shape.Length != strides.Length || shape.Length > TensorShape.MaximumRank)
            return $"it has {shape.Length} extents and {strides.Length} strides; expected the same number, up to {TensorShape.MaximumRank}";
        if (offset < 0 || shape.Any(long.IsNegative) || strides.Any(long.IsNegative))
            return "its offset, an extent or a stride is negative";
        if (!TensorShape.TryGetByteCount(shape, storage.ElementSize, out long bytes))
            return $"its shape {TensorShape.Describe(shape)} is too large";
        if (!TryGetSpan(shape, strides, out long span) || offset > storage.Count || span > storage.Count - offset)
        {
            return $"with the shape {TensorShape.Describe(shape)}, the strides {TensorShape.Describe(strides)} and the offset {offset} " +
                $"it reaches past the {storage.Count} elements of its storage";
        }
        // A view that repeats elements could stand for any amount of memory once it is copied.
        if (bytes / storage.ElementSize > storage.Count)
        {
            return $"its shape {TensorShape.Describe(shape)} has more elements than its storage, {storage.Count}; " +
                "save a contiguous() tensor instead of an expanded one";
        }
        tensor = new PickledTensor(storage, offset, shape, strides, span);
        return null;
    }

    private static bool TryGetSpan(long[] shape, long[] strides, out long span)
    {
        span = 0;
        if (shape.Contains(0)) return true;
        UInt128 last = 0;   // at most 64 products below 2^126
        for (int dimension = 0; dimension < shape.Length; dimension++)
        {
            last += (UInt128)(shape[dimension] - 1) * (UInt128)strides[dimension];
            if (last >= long.MaxValue) return false;
        }
        span = (long)last + 1;
        return true;
    }

    private static bool AreRowMajor(long[] shape, long[] strides)
    {
        if (shape.Contains(0)) return true;
        long expected = 1;
        for (int dimension = shape.Length - 1; dimension >= 0; dimension--)
        {
            if (shape[dimension] == 1) continue;
            if (strides[dimension] != expected) return false;
            expected *= shape[dimension];
        }
        return true;
    }
}
