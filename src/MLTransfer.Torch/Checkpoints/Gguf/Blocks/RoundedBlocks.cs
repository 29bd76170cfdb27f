using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Checkpoints.Gguf.Blocks;

/// <summary>
/// Blocks of 32 values with a scale in float16: value = scale · code, or scale · code + minimum. Of codes below 8 bits a byte has those of
/// values i and i + 16; fifth bits lie together in four bytes before them.
/// </summary>
internal static class RoundedBlocks
{
    public const int Length = 32;

    public static void DecodeQ8_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[34..], values = values[Length..])
        {
            var scale = Vector256.Create(Half(blocks));
            var (first, second) = Vector256.Widen(Vector256.Create(MemoryMarshal.Cast<byte, sbyte>(blocks[2..])));
            Scale(first, scale, values);
            Scale(second, scale, values[(Length / 2)..]);
        }
    }

    public static void DecodeQ4_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[18..], values = values[Length..])
        {
            var scale = Vector256.Create(Half(blocks));
            var codes = Vector128.Create(blocks[2..]);
            var (low, high) = (codes & Vector128.Create((byte)0xf), codes >>> 4);
            Scale(Centred(low), scale, values);
            Scale(Centred(high), scale, values[(Length / 2)..]);
            for (var i = 0; i < Length; i += Vector256<float>.Count) // -0 becomes 0
                (Vector256.Create((ReadOnlySpan<float>)values[i..]) + Vector256<float>.Zero).CopyTo(values[i..]);
        }

        static Vector256<short> Centred(Vector128<byte> codes)
        {
            var (lower, upper) = Vector128.Widen(codes.AsSByte() - Vector128.Create((sbyte)8));
            return Vector256.Create(lower, upper);
        }
    }

    public static void DecodeQ4_1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[20..], values = values[Length..])
            Decode(blocks[4..], fifthBits: 0, Half(blocks), Half(blocks[2..]), subtracted: 0, values);
    }

    public static void DecodeQ5_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[22..], values = values[Length..])
            Decode(blocks[6..], BinaryPrimitives.ReadUInt32LittleEndian(blocks[2..]), Half(blocks), minimum: 0, subtracted: 16, values);
    }

    public static void DecodeQ5_1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[24..], values = values[Length..])
        {
            Decode(
                blocks[8..], BinaryPrimitives.ReadUInt32LittleEndian(blocks[4..]), Half(blocks), Half(blocks[2..]), subtracted: 0, values);
        }
    }

    public static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    private static void Decode(
        ReadOnlySpan<byte> codes, uint fifthBits, float scale, float minimum, int subtracted, Span<float> values)
    {
        const int half = Length / 2;
        for (var i = 0; i < half; i++)
        {
            var low = codes[i] & 0xf | (int)(fifthBits >> i & 1) << 4;
            var high = codes[i] >> 4 | (int)(fifthBits >> i + half & 1) << 4;
            values[i] = scale * (low - subtracted) + minimum;
            values[i + half] = scale * (high - subtracted) + minimum;
        }
    }

    /// <summary>values = scale · codes, of sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(Vector256<short> codes, Vector256<float> scale, Span<float> values)
    {
        var (first, second) = Vector256.Widen(codes);
        (scale * Vector256.ConvertToSingle(first)).CopyTo(values);
        (scale * Vector256.ConvertToSingle(second)).CopyTo(values[Vector256<float>.Count..]);
    }
}
