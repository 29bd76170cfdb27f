namespace MLTransfer.Torch.Checkpoints;

/// <summary>Checked arithmetic on shapes that come from files.</summary>
internal static class TensorShape
{
    /// <summary>The most dimensions that libtorch's operators take.</summary>
    public const int MaximumRank = 64;

    /// <summary>
    /// The bytes of a dense tensor, or false where they, or the strides of an empty tensor, would not fit into 63 bits.
    /// </summary>
    public static bool TryGetByteCount(ReadOnlySpan<long> shape, int elementSize, out long bytes)
    {
        bytes = elementSize;
        foreach (long extent in shape)
        {
            if (extent == 0) continue;
            if (extent < 0 || bytes > long.MaxValue / extent) return false;
            bytes *= extent;
        }
        if (shape.Contains(0)) bytes = 0;
        return true;
    }

    public static string Describe(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
