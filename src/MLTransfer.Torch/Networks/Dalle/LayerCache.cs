using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// Keys and values of one layer. Those that the next code sees lie behind each other, first the text's, so that row kernels read them in
/// one run; where a code sees neither all nor the last ones of a picture, they are brought there from where all are kept.
/// </summary>
internal sealed class LayerCache : IDisposable
{
    private readonly AttentionKind _kind;
    private readonly int _text;
    private readonly int _side;
    private readonly float _scale;
    private readonly int[] _starts;
    private readonly List<Tensor> _memory = [];
    private readonly CachedRows _seen;  // [rows, heads, text and what is seen of a picture, head width]
    private readonly CachedRows? _kept; // [rows, heads, places, head width]; null where nothing is brought

    /// <param name="kind">What codes see.</param>
    /// <param name="sizes">The transformer's.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="type">The type of keys and values.</param>
    public LayerCache(AttentionKind kind, DalleConfiguration sizes, int rows, ScalarType type)
    {
        (_kind, _text, _side) = (kind, sizes.TextPositions, sizes.Side);
        (_scale, _starts) = ((float)(1 / Math.Sqrt(sizes.HeadWidth)), new int[rows]);
        var kernel = Math.Min(AttentionPattern.KernelSize, _side);
        var (seen, kept) = kind switch
        {
            AttentionKind.Full => (sizes.ImageLength, 0),
            AttentionKind.AxialRow => (_side, 0),
            AttentionKind.AxialColumn => (_side, sizes.ImageLength),
            _ => (kernel * kernel, kernel * _side),
        };
        _seen = Reserve(_text + seen);
        _kept = kept == 0 ? null : Reserve(kept);

        CachedRows Reserve(int places)
        {
            long[] shape = [rows, sizes.Heads, places, sizes.HeadWidth];
            var (keys, values) = (empty(shape, type).DetachFromDisposeScope(), empty(shape, type).DetachFromDisposeScope());
            _memory.AddRange([keys, values]);
            return CachedRows.Of(keys, values);
        }
    }

    /// <summary>Takes the text's keys and values of a row: each [1, heads, text, head width].</summary>
    public void StoreText(int row, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        _memory[0][row].narrow(1, 0, _text).copy_(keys[0]);
        _memory[1][row].narrow(1, 0, _text).copy_(values[0]);
    }

    /// <summary>Stores keys and values of a code of each row, and attends to what it sees.</summary>
    /// <param name="code">The code's number in the picture.</param>
    /// <param name="queries">[rows, heads, head width].</param>
    /// <param name="keys">The same shape.</param>
    /// <param name="values">The same shape.</param>
    /// <param name="output">[rows, heads, head width].</param>
    /// <param name="threads">The most threads that are used.</param>
    public void Attend(int code, RowSlices queries, RowSlices keys, RowSlices values, Span<float> output, int threads)
    {
        var before = Bring(code);
        _seen.Store(_text + before, keys, values);
        _kept?.Store(PlaceOf(code / _side, code % _side), keys, values);
        RowAttention.Compute(
            queries, _seen with { Length = _text + before + 1 }, new AttentionRows { Starts = _starts, Scale = _scale }, output, threads);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.ForEach(tensor => tensor.Dispose());

    /// <summary>Brings the earlier codes that a code sees behind the text.</summary>
    /// <returns>How many there are.</returns>
    private int Bring(int code)
    {
        var (row, column) = Math.DivRem(code, _side);
        switch (_kind)
        {
            case AttentionKind.Full:
                return code;
            case AttentionKind.AxialRow:
                return column; // the row's codes lie there, over those of the row before
            case AttentionKind.AxialColumn:
                _kept!.Value.CopyTo(PlaceOf(0, column), _seen, _text, row);
                return row;
            default:
                var first = Math.Max(0, column - AttentionPattern.KernelSize + 1);
                var before = 0;
                for (var above = Math.Max(0, row - AttentionPattern.KernelSize + 1); above <= row; above++)
                {
                    var count = column - first + (above < row ? 1 : 0);
                    _kept!.Value.CopyTo(PlaceOf(above, first), _seen, _text + before, count);
                    before += count;
                }

                return before;
        }
    }

    /// <summary>Where a code is kept: columns one after the other, or the last rows in turn.</summary>
    private int PlaceOf(int row, int column) => _kind == AttentionKind.AxialColumn
        ? column * _side + row : row % AttentionPattern.KernelSize * _side + column;
}
