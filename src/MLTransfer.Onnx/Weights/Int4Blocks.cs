using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MLTransfer.Onnx.Weights;

/// <summary>One output's weights in int4: blocks of <see cref="Size"/> inputs, w = (q - zero point) * scale.</summary>
internal sealed class Int4Blocks
{
    public const int Size = 32;
    private const int Levels = 15;

    private readonly byte[] _weights;
    private readonly float[] _scales;
    private readonly byte[] _zeroPoints;

    public Int4Blocks(int inputs)
    {
        var blocks = (int)BlockCount(inputs);
        _weights = new byte[blocks * Size / 2];
        _scales = new float[blocks];
        _zeroPoints = new byte[(blocks + 1) / 2];
    }

    /// <summary>Two to a byte, the first in the low half.</summary>
    public ReadOnlySpan<byte> Weights => _weights;

    /// <summary>A float32 for each block.</summary>
    public ReadOnlySpan<byte> Scales => MemoryMarshal.AsBytes(_scales.AsSpan());

    /// <summary>Two to a byte, the first in the low half.</summary>
    public ReadOnlySpan<byte> ZeroPoints => _zeroPoints;

    public static long BlockCount(long inputs) => (inputs + Size - 1) / Size;

    /// <summary>Quantizes a row; the arrays above are overwritten.</summary>
    public void Pack(ReadOnlySpan<float> row)
    {
        Array.Clear(_zeroPoints);
        for (var block = 0; block < _scales.Length; block++)
        {
            var values = row[(block * Size)..Math.Min(row.Length, (block + 1) * Size)];
            var (scale, zeroPoint) = Fit(values);
            _scales[block] = scale;
            _zeroPoints[block / 2] |= (byte)(zeroPoint << 4 * (block % 2));
            for (var i = 0; i < Size; i++)
            {
                var level = i < values.Length ? Quantize(values[i], scale, zeroPoint) : zeroPoint;
                ref var pair = ref _weights[(block * Size + i) / 2];
                pair = (byte)(i % 2 == 0 ? level : pair | level << 4);
            }
        }
    }

    /// <summary>The range from the smallest to the largest value, 0 included, which must stay 0.</summary>
    private static (float Scale, int ZeroPoint) Fit(ReadOnlySpan<float> values)
    {
        var (low, high) = (Math.Min(0, TensorPrimitives.Min(values)), Math.Max(0, TensorPrimitives.Max(values)));
        if (high - low is not (> 0 and < float.PositiveInfinity))
            return (1, 8);
        var scale = (high - low) / Levels;
        return (scale, (int)Math.Clamp(MathF.Round(-low / scale), 0, Levels));
    }

    private static int Quantize(float value, float scale, int zeroPoint) =>
        (int)Math.Clamp(MathF.Round(value / scale) + zeroPoint, 0, Levels);
}
