using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What an encoder made of texts, for the decoder's cross-attention.</summary>
public sealed class EncodedText : IDisposable
{
    private readonly Dictionary<int, (Tensor Keys, Tensor Values)> _projected = [];
    private readonly IReadOnlyList<Tensor>? _alone; // the rows, where each is projected on its own

    /// <summary>Takes what an encoder gave.</summary>
    /// <param name="hiddenStates">[batch, length, encoder width]; disposed with this object.</param>
    /// <param name="padding">[batch, length], 1 for real tokens and 0 for padding; null where nothing is padded.</param>
    public EncodedText(Tensor hiddenStates, Tensor? padding)
    {
        ArgumentNullException.ThrowIfNull(hiddenStates);
        HiddenStates = hiddenStates.DetachFromDisposeScope();
        Mask = AttentionMask.BothWays(padding);
        Mask.Allowed?.DetachFromDisposeScope();
        Ranges = FindRanges(hiddenStates, padding);
    }

    /// <summary>Some rows of another one.</summary>
    private EncodedText(EncodedText source, Tensor rows)
    {
        HiddenStates = Select(source.HiddenStates);
        Mask = source.Mask with { Allowed = source.Mask.Allowed is { } allowed ? Select(allowed) : null };
        if (source.Ranges is { } ranges)
        {
            using var scope = NewDisposeScope();
            var indices = NativeTensor.AsSpan<long>(rows.to(CPU).contiguous()).ToArray();
            Ranges = (Array.ConvertAll(indices, row => ranges.Starts[row]), Array.ConvertAll(indices, row => ranges.Ends[row]));
        }

        foreach (var (layer, (keys, values)) in source._projected)
            _projected.Add(layer, (Select(keys), Select(values)));

        Tensor Select(Tensor all) => all.index_select(0, rows).DetachFromDisposeScope();
    }

    /// <param name="alone">[1, own length, encoder width] each; disposed with this object.</param>
    private EncodedText(IReadOnlyList<Tensor> alone)
    {
        _alone = [.. alone.Select(row => row.DetachFromDisposeScope())];
        using var scope = NewDisposeScope();
        int[] ends = [.. alone.Select(row => (int)row.shape[1])];
        HiddenStates = Join(alone, dimension: 1, ends.Max()).DetachFromDisposeScope();
        Ranges = (new int[ends.Length], ends);
        Mask = AttentionMask.BothWays(Array.TrueForAll(ends, end => end == ends[0]) ? null
            : arange(ends.Max(), ScalarType.Int64, HiddenStates.device).unsqueeze(0)
                .less(tensor(Array.ConvertAll(ends, end => (long)end), device: HiddenStates.device).unsqueeze(1)));
        Mask.Allowed?.DetachFromDisposeScope();
    }

    /// <summary>Texts that were read one by one. What blocks make of a row is computed from it alone, so that no bit of it depends on the
    /// other rows.</summary>
    /// <param name="rows">[1, own length, encoder width] each, of one width and type; disposed with the result.</param>
    internal static EncodedText OfRows(IReadOnlyList<Tensor> rows) => new(rows);

    /// <summary>[batch, length, encoder width].</summary>
    public Tensor HiddenStates { get; }

    /// <summary>Which of its positions are seen: all but padding.</summary>
    internal AttentionMask Mask { get; }

    /// <summary>The first position of each row and the one behind its last, where all between are seen; null where something inside is
    /// masked.</summary>
    internal (int[] Starts, int[] Ends)? Ranges { get; }

    /// <summary>A selection of its rows, in a given order and perhaps several times; what blocks have made of them is kept.</summary>
    /// <param name="rows">[rows] int64, on the same device.</param>
    /// <returns>A new object; the caller disposes it, and this one.</returns>
    public EncodedText SelectRows(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        lock (_projected)
            return new EncodedText(this, rows);
    }

    /// <summary>Keys and values of a block, each [batch, heads, length, head width]; computed once where no gradients are asked
    /// for.</summary>
    /// <param name="layer">The block's number.</param>
    /// <param name="project">Makes them of the hidden states.</param>
    internal (Tensor Keys, Tensor Values) KeysAndValues(int layer, Func<Tensor, (Tensor Keys, Tensor Values)> project)
    {
        if (is_grad_enabled())
            return project(HiddenStates);
        lock (_projected)
        {
            if (!_projected.TryGetValue(layer, out var projected))
            {
                using var scope = NewDisposeScope();
                var (keys, values) = Project(project);
                projected = (keys.contiguous().DetachFromDisposeScope(), values.contiguous().DetachFromDisposeScope());
                _projected.Add(layer, projected);
            }

            return projected;
        }
    }

    private (Tensor Keys, Tensor Values) Project(Func<Tensor, (Tensor Keys, Tensor Values)> project)
    {
        if (_alone is null)
            return project(HiddenStates);
        var rows = _alone.Select(project).ToList(); // each [1, heads, own length, head width]
        var length = HiddenStates.shape[1];
        return (Join([.. rows.Select(row => row.Keys)], 2, length), Join([.. rows.Select(row => row.Values)], 2, length));
    }

    /// <summary>Rows below each other, with zeros behind the shorter ones.</summary>
    private static Tensor Join(IReadOnlyList<Tensor> rows, int dimension, long length) => cat(
        [
            .. rows.Select(row =>
            {
                if (row.shape[dimension] == length)
                    return row;
                var shape = row.shape.ToArray();
                shape[dimension] = length - shape[dimension];
                return cat([row, zeros(shape, row.dtype, row.device)], dimension);
            }),
        ], 0);

    private static (int[] Starts, int[] Ends)? FindRanges(Tensor hiddenStates, Tensor? padding)
    {
        var (rows, length) = ((int)hiddenStates.shape[0], (int)hiddenStates.shape[1]);
        var (starts, ends) = (new int[rows], new int[rows]);
        Array.Fill(ends, length);
        if (padding is null)
            return (starts, ends);
        using var scope = NewDisposeScope();
        var mask = NativeTensor.AsSpan<bool>(padding.to(ScalarType.Bool).to(CPU).contiguous());
        for (var row = 0; row < rows; row++)
        {
            var real = mask.Slice(row * length, length);
            if (!real.Contains(true))
                continue; // nothing but padding: all of it is seen
            (starts[row], ends[row]) = (real.IndexOf(true), real.LastIndexOf(true) + 1);
            if (real[starts[row]..ends[row]].Contains(false))
                return null;
        }

        return (starts, ends);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        HiddenStates.Dispose();
        foreach (var row in _alone ?? [])
            row.Dispose();
        Mask.Allowed?.Dispose();
        foreach (var (keys, values) in _projected.Values)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
