using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Checkpoints.BitsAndBytes;

/// <summary>
/// Codes of 4 bits for values of a normal distribution (NF4, arXiv 2305.14314): 16 of its quantiles, times the largest magnitude of a block
/// of 64. Two codes a byte, the first one high.
/// </summary>
internal static class NormalFloat4
{
    /// <summary>The values of a block.</summary>
    public const int Length = 64;

    /// <summary>What codes stand for in a block whose largest magnitude is 1: the paper's appendix E.</summary>
    public static ReadOnlySpan<float> Values =>
    [
        -1, -0.6961928f, -0.52507305f, -0.3949175f,
        -0.28444138f, -0.18477343f, -0.091050036f, 0,
        0.0795803f, 0.1609302f, 0.2461123f, 0.33791524f,
        0.44070983f, 0.562617f, 0.72295684f, 1,
    ];

    /// <summary>Rounds a block, or what there is of one: to the nearest value, of two equally near ones to the lower.</summary>
    /// <param name="values">Up to 64.</param>
    /// <param name="codes">Room for half as many bytes, rounded up.</param>
    /// <returns>The scale; NaN where a value is not finite.</returns>
    public static float Encode(ReadOnlySpan<float> values, Span<byte> codes)
    {
        var scale = 0f;
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return float.NaN;
            scale = MathF.Max(scale, MathF.Abs(value));
        }

        Span<float> scaled = stackalloc float[Length];
        scaled.Clear();
        for (var i = 0; i < values.Length; i++)
            scaled[i] = scale == 0 ? 0 : values[i] / scale;
        Span<int> found = stackalloc int[Length];
        for (var i = 0; i < Length; i += Vector512<float>.Count)
        {
            var (value, count) = (Vector512.Create((ReadOnlySpan<float>)scaled[i..]), Vector512<int>.Zero);
            for (var code = 1; code < Values.Length; code++) // a comparison that holds is -1
                count -= Vector512.GreaterThan(value, Vector512.Create((Values[code - 1] + Values[code]) / 2)).AsInt32();
            count.CopyTo(found[i..]);
        }

        for (var i = 0; i < (values.Length + 1) / 2; i++)
            codes[i] = (byte)(found[2 * i] << 4 | found[2 * i + 1]);
        return scale;
    }

    /// <summary>The values of codes of one block.</summary>
    /// <param name="table">What codes stand for: 16.</param>
    /// <param name="codes">All codes.</param>
    /// <param name="start">The first code that is read.</param>
    /// <param name="scale">The block's.</param>
    /// <param name="values">As many as are read.</param>
    public static void Decode(ReadOnlySpan<float> table, ReadOnlySpan<byte> codes, long start, float scale, Span<float> values)
    {
        var i = 0;
        if (start % 2 != 0 && values.Length > 0)
            values[i++] = scale * table[codes[(int)(start / 2)] & 0xf];
        var packed = codes[(int)((start + i) / 2)..];
        var (quantiles, scales) = (Vector512.Create(table), Vector512.Create(scale));
        for (; i <= values.Length - Vector512<float>.Count; i += Vector512<float>.Count, packed = packed[8..])
        {
            // eight bytes in lower halves of 16 bits, then each one's high code before its low one
            var pairs = Vector128.WidenLower(Vector128.CreateScalar(MemoryMarshal.Read<ulong>(packed)).AsByte());
            var ordered = (pairs >>> 4 | (pairs & Vector128.Create((ushort)0xf)) << 8).AsByte();
            (scales * Vector512.Shuffle(quantiles, Widen(ordered))).CopyTo(values[i..]);
        }

        for (var j = 0; i < values.Length; i++, j++)
            values[i] = scale * table[j % 2 == 0 ? packed[j / 2] >> 4 : packed[j / 2] & 0xf];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Widen(Vector128<byte> codes)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Create(Vector128.WidenLower(codes), Vector128.WidenUpper(codes)));
        return Vector512.Create(lower.AsInt32(), upper.AsInt32());
    }
}
