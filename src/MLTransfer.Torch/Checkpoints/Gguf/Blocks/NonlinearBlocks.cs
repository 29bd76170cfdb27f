using System.Buffers.Binary;

namespace MLTransfer.Torch.Checkpoints.Gguf.Blocks;

/// <summary>Blocks whose four-bit codes choose one of 16 values that lie closer to each other around zero (IQ4).</summary>
internal static class NonlinearBlocks
{
    private const int Length = 32;

    private static ReadOnlySpan<sbyte> Values => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>IQ4_NL: 32 values with a scale in float16.</summary>
    public static void DecodeNonlinear(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[18..], values = values[Length..])
            Decode(blocks[2..], RoundedBlocks.Half(blocks), values);
    }

    /// <summary>IQ4_XS: 8 times 32 values; their scales have six bits each, the upper two in a number of 16 bits.</summary>
    public static void DecodeExtraSmall(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[136..], values = values[256..])
        {
            var (scale, upper) = (RoundedBlocks.Half(blocks), BinaryPrimitives.ReadUInt16LittleEndian(blocks[2..]));
            for (var part = 0; part < 8; part++)
            {
                var lower = blocks[4 + part / 2] >> 4 * (part % 2) & 0xf;
                var own = (lower | (upper >> 2 * part & 3) << 4) - 32;
                Decode(blocks[(8 + 16 * part)..], scale * own, values[(Length * part)..]);
            }
        }
    }

    private static void Decode(ReadOnlySpan<byte> codes, float scale, Span<float> values)
    {
        for (var i = 0; i < Length / 2; i++)
        {
            values[i] = scale * Values[codes[i] & 0xf];
            values[i + Length / 2] = scale * Values[codes[i] >> 4];
        }
    }
}
