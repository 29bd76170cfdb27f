namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>The cached keys and values of one layer in memory, each [rows, heads, capacity, head width].</summary>
/// <param name="Keys">The first key.</param>
/// <param name="Values">The first value.</param>
/// <param name="IsBFloat16">Whether elements are bfloat16; float32 otherwise.</param>
/// <param name="Heads">The number of heads.</param>
/// <param name="HeadWidth">The width of one head.</param>
/// <param name="Capacity">How many positions fit.</param>
/// <param name="Length">How many positions are filled.</param>
internal readonly record struct CachedRows(nint Keys, nint Values, bool IsBFloat16, int Heads, int HeadWidth, int Capacity, int Length);
