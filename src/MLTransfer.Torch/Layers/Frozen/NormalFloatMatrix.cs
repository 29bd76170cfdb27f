using MLTransfer.Torch.Checkpoints.BitsAndBytes;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Frozen;

/// <summary>A matrix in blocks of NF4, which go on across the ends of rows, with scales in float32 or in 8 bits.</summary>
internal sealed unsafe class NormalFloatMatrix : FrozenMatrix
{
    private const int Length = NormalFloat4.Length;

    private readonly WeightMemory _codes;
    private readonly float[] _scales; // of blocks; where these are in 8 bits, of 256 blocks
    private readonly byte[] _scaleCodes;
    private readonly float _offset;

    public NormalFloatMatrix(Tensor weight, bool doublyQuantized)
        : base(weight)
    {
        var blocks = (int)((Elements + Length - 1) / Length);
        _codes = new WeightMemory((Elements + 1) / 2);
        _scaleCodes = [];
        var scales = _scales = new float[blocks];
        Round(weight, blocks, Length, (first, end) =>
        {
            Span<float> values = stackalloc float[Length];
            for (var block = first; block < end; block++)
            {
                var start = (long)block * Length;
                var count = (int)Math.Min(Length, Elements - start);
                FloatRows.Read(weight, start, values[..count]);
                scales[block] = NormalFloat4.Encode(values[..count], new(_codes.Pointer + start / 2, (count + 1) / 2));
            }
        });
        GC.KeepAlive(weight);
        if (scales.Any(float.IsNaN))
        {
            Dispose();
            throw NotFinite();
        }

        if (!doublyQuantized)
            return;
        _offset = DynamicScales.OffsetOf(scales);
        _scaleCodes = new byte[blocks];
        _scales = [.. scales.Chunk(DynamicScales.Length).Select((chunk, i) =>
            DynamicScales.Encode(chunk, _offset, _scaleCodes.AsSpan(i * DynamicScales.Length, chunk.Length)))];
    }

    /// <inheritdoc/>
    public override long Bytes => (Elements + 1) / 2 + sizeof(float) * (long)_scales.Length + _scaleCodes.Length;

    /// <summary>Codes as they are stored.</summary>
    internal ReadOnlySpan<byte> Codes => new(_codes.Pointer, (int)((Elements + 1) / 2));

    /// <summary>Codes of scales; none where they are float32.</summary>
    internal ReadOnlySpan<byte> ScaleCodes => _scaleCodes;

    private long Elements => (long)Rows * Columns;

    /// <inheritdoc/>
    public override void Dispose() => _codes.Dispose();

    /// <inheritdoc/>
    private protected override void Read(int row, int column, Span<float> values)
    {
        for (var start = (long)row * Columns + column; values.Length > 0;)
        {
            var count = (int)Math.Min(values.Length, Length - start % Length);
            var codes = new ReadOnlySpan<byte>(_codes.Pointer + start / 2, count / 2 + 1);
            NormalFloat4.Decode(NormalFloat4.Values, codes, start % 2, ScaleOf((int)(start / Length)), values[..count]);
            values = values[count..];
            start += count;
        }
    }

    private float ScaleOf(int block) => _scaleCodes.Length == 0 ? _scales[block]
        : DynamicScales.Values[_scaleCodes[block]] * _scales[block / DynamicScales.Length] + _offset;
}
