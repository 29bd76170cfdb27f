using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Checkpoints.Gguf.Blocks;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Frozen;

/// <summary>
/// A matrix in blocks of Q8_0 or Q4_0, as GGUF files have them: rows one after the other, each of whole blocks that end in zeros.
/// </summary>
internal sealed unsafe class RoundedMatrix : FrozenMatrix
{
    private const int Length = RoundedBlocks.Length;

    private readonly GgufTensorType _type;
    private readonly WeightMemory _memory;

    public RoundedMatrix(Tensor weight, GgufTensorType type)
        : base(weight)
    {
        _type = type;
        _memory = new WeightMemory(Bytes);
        var isFinite = 1;
        Round(weight, Rows, Columns, (start, end) =>
        {
            using var values = new RowBuffer(RowBlockCount * Length);
            values.Span.Clear();
            for (var row = start; row < end; row++)
            {
                FloatRows.Read(weight, (long)row * Columns, values.Span[..Columns]);
                if (!TryEncode(values.Span, RowOf(row)))
                    Volatile.Write(ref isFinite, 0);
            }
        });
        GC.KeepAlive(weight);
        if (isFinite == 0)
        {
            Dispose();
            throw NotFinite();
        }
    }

    /// <inheritdoc/>
    public override long Bytes => (long)Rows * RowBlockCount * _type.BlockBytes;

    private int RowBlockCount => (Columns + Length - 1) / Length;

    /// <inheritdoc/>
    public override void Dispose() => _memory.Dispose();

    /// <inheritdoc/>
    private protected override void Read(int row, int column, Span<float> values)
    {
        var blocks = RowOf(row)[(column / Length * _type.BlockBytes)..];
        var whole = values.Length / Length;
        _type.Decode!(blocks[..(whole * _type.BlockBytes)], values[..(whole * Length)]);
        if (values.Length == whole * Length)
            return;
        Span<float> last = stackalloc float[Length];
        _type.Decode(blocks.Slice(whole * _type.BlockBytes, _type.BlockBytes), last);
        last[..(values.Length - whole * Length)].CopyTo(values[(whole * Length)..]);
    }

    private bool TryEncode(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        if (_type == GgufTensorType.Q8_0)
            return BlockEncoder.TryEncode(_type, values, blocks);
        Span<byte> codes = stackalloc byte[Length];
        for (; values.Length > 0; values = values[Length..], blocks = blocks[_type.BlockBytes..])
        {
            var scale = Int4Rounding.Round(values, codes, static scale => (float)(Half)scale);
            if (float.IsNaN(scale))
                return false;
            BlockEncoder.WriteQ4_0(scale, codes, blocks);
        }

        return true;
    }

    private Span<byte> RowOf(int row)
    {
        var length = RowBlockCount * _type.BlockBytes;
        return new(_memory.Pointer + (long)row * length, length);
    }
}
