using System.Buffers.Binary;
using System.Numerics.Tensors;

namespace MLTransfer.Torch.Checkpoints.Gguf.Blocks;

/// <summary>Rounds values to the blocks of Q8_0 and Q4_0, with the bytes that the format's reference implementation gives.</summary>
internal static class BlockEncoder
{
    private const int Length = RoundedBlocks.Length;

    /// <summary>Makes blocks of values.</summary>
    /// <param name="type">Q8_0 or Q4_0.</param>
    /// <param name="values">Whole blocks of them.</param>
    /// <param name="blocks">Room for the blocks.</param>
    /// <returns>False where a value is not finite.</returns>
    public static bool TryEncode(GgufTensorType type, ReadOnlySpan<float> values, Span<byte> blocks)
    {
        var isWhole = type == GgufTensorType.Q8_0;
        if (!isWhole && type != GgufTensorType.Q4_0)
            throw new ArgumentException($"{type.Name} is not written.", nameof(type));
        for (; values.Length > 0; values = values[Length..], blocks = blocks[type.BlockBytes..])
        {
            var block = values[..Length];
            var largest = TensorPrimitives.MaxMagnitude(block);
            if (!float.IsFinite(largest))
                return false;
            if (isWhole)
                EncodeQ8_0(block, MathF.Abs(largest), blocks);
            else
                EncodeQ4_0(block, MathF.Abs(largest), blocks);
        }

        return true;
    }

    /// <summary>A block of Q4_0.</summary>
    /// <param name="scale">Is rounded to float16.</param>
    /// <param name="codes">[32], from 0 to 15.</param>
    /// <param name="block">Room for the block.</param>
    public static void WriteQ4_0(float scale, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < Length / 2; i++)
            block[2 + i] = (byte)(codes[i] | codes[i + Length / 2] << 4);
    }

    private static void EncodeQ8_0(ReadOnlySpan<float> values, float magnitude, Span<byte> block)
    {
        var scale = magnitude / 127;
        var inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < Length; i++)
            block[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
    }

    private static void EncodeQ4_0(ReadOnlySpan<float> values, float magnitude, Span<byte> block)
    {
        var extreme = 0f; // the first of the largest magnitude, with its sign: it becomes the code 0
        foreach (var value in values)
        {
            if (MathF.Abs(value) == magnitude)
            {
                extreme = magnitude == 0 ? 0 : value;
                break;
            }
        }

        var scale = extreme / -8;
        var inverse = scale == 0 ? 0 : 1 / scale;
        Span<byte> codes = stackalloc byte[Length];
        for (var i = 0; i < Length; i++)
            codes[i] = (byte)Math.Min(15, (int)(values[i] * inverse + 8.5f));
        WriteQ4_0(scale, codes, block);
    }
}
