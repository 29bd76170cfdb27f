namespace MLTransfer.Torch.Generation;

/// <summary>A value and the index that it belongs to in one integer, ordered by value and then by index.</summary>
internal static class SortableKey
{
    public static ulong Create(float value, int index)
    {
        var bits = BitConverter.SingleToUInt32Bits(value + 0f); // + 0 makes +0 of -0
        return ((ulong)(bits ^ ((uint)((int)bits >> 31) | 0x80000000)) << 32) | (uint)index;
    }

    public static int Index(ulong key) => (int)(uint)key;

    public static float Value(ulong key)
    {
        var bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle(bits ^ (~(uint)((int)bits >> 31) | 0x80000000));
    }
}
