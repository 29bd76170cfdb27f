using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Attention of several heads: its forward pass for any number of positions, and its step for one new position a row.</summary>
/// <remarks>B: batch, T: new positions, S: positions that are seen, H: heads, K: heads of keys and values, D: width of a head.</remarks>
internal sealed class AttentionModule : ISublayerModule
{
    private readonly Attention _attention;
    private readonly int _layer;
    private readonly bool _isCross;
    private readonly Linear[] _inputs;
    private readonly Linear _output;
    private readonly Normalization? _queryNorm;
    private readonly Normalization? _keyNorm;
    private readonly RotaryTable? _rotation;
    private readonly RelativeBiasTable? _bias;

    /// <param name="attention">What it is.</param>
    /// <param name="layer">The block's number.</param>
    /// <param name="modules">Makes the layers.</param>
    /// <param name="width">The width of what queries are made from, and of the output.</param>
    /// <param name="sourceWidth">The width of what keys and values are made from: the encoder's; null where it is the sequence
    /// itself.</param>
    public AttentionModule(Attention attention, int layer, ModuleBuilder modules, int width, int? sourceWidth = null)
    {
        (_attention, _layer, _isCross) = (attention, layer, sourceWidth is not null);
        var (queries, keys) = (attention.Heads * attention.HeadWidth, attention.KeyValueHeads * attention.HeadWidth);
        _inputs = attention.Packing == Packing.Apart
            ?
            [
                modules.Linear(attention.Inputs[0], width, queries),
                modules.Linear(attention.Inputs[1], sourceWidth ?? width, keys),
                modules.Linear(attention.Inputs[2], sourceWidth ?? width, keys),
            ]
            : [modules.Linear(attention.Inputs[0], width, queries + 2 * keys)];
        _queryNorm = modules.Normalization(attention.QueryNorm, attention.HeadWidth);
        _keyNorm = modules.Normalization(attention.KeyNorm, attention.HeadWidth);
        if (attention.Bias is { } bias)
            _bias = new RelativeBiasTable(bias, modules.Table(bias.Table, bias.Buckets, attention.Heads, bias.Deviation));
        _output = modules.Linear(attention.Output, queries, width);
        if (attention.Rotary is { } rotary)
            _rotation = new RotaryTable(rotary);

        // scaled_dot_product_attention divides by sqrt(head width); the query takes up what is wanted otherwise.
        var factor = attention.Scale * Math.Sqrt(attention.HeadWidth);
        QueryFactor = Math.Abs(factor - 1) < 1e-12 ? 1 : factor;
    }

    /// <summary>The bias by distance, where there is one.</summary>
    public RelativeBiasTable? Bias => _bias;

    private double QueryFactor { get; }

    /// <summary>[B, T, width] to the same shape.</summary>
    public Tensor Forward(Tensor x, Pass pass)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.shape[0], x.shape[1]);
        var (query, key, value) = _isCross ? ProjectCross(x, pass.Encoded!) : Project(x, pass);       // [B, H, T, D], [B, K, S, D] twice
        if (QueryFactor != 1)
            query = query * QueryFactor;
        var type = query.dtype;
        if (!_isCross && pass.Cache is not null)
            (key, value) = pass.Cache.Append(_layer, key, value);
        if (key.dtype != type)
            (key, value) = (key.to(type), value.to(type));        // a quantized model's cache is bfloat16

        if (_attention.Float32Scores && type != ScalarType.Float32)
            (query, key, value) = (query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32));
        if (_attention.KeyValueHeads != _attention.Heads)
            (key, value) = (Repeat(key), Repeat(value));                                               // [B, H, S, D]

        var mask = _isCross ? pass.Encoded!.Mask : pass.Masks[_attention.Window ?? 0];
        var bias = pass.Biases is null ? _bias?.Between(pass.Past, length) : pass.Biases.GetValueOrDefault(_attention.Bias?.Table ?? "");
        var attended = Attend(query, key, value, mask, bias, pass).to(type);
        return _output.call(attended.transpose(1, 2).reshape(batch, length, _attention.Heads * _attention.HeadWidth))
            .MoveToOuterDisposeScope();                                                                // [B, T, width]
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<float> input, Span<float> output, StepPass pass, bool accumulate)
    {
        var (rows, width) = (pass.Rows, _attention.Heads * _attention.HeadWidth);
        using var attended = new RowBuffer(rows * width);
        if (_isCross)
            StepCross(input, attended.Span, pass);
        else
            StepSelf(input, attended.Span, pass);
        _output.Apply(attended.Span, output, pass.Step, accumulate: accumulate);
    }

    private void StepSelf(ReadOnlySpan<float> input, Span<float> attended, StepPass pass)
    {
        var (rows, heads, keyHeads, width) = (pass.Rows, _attention.Heads, _attention.KeyValueHeads, _attention.HeadWidth);
        using var buffer = new RowBuffer(rows * (heads + 2 * keyHeads) * width);
        var (queries, keys, values) = ProjectRows(input, buffer.Span, pass);
        _queryNorm?.Apply(queries);
        _keyNorm?.Apply(keys);
        if (_rotation is not null)
        {
            pass.Turn(_attention.Rotary!, _rotation, queries);
            pass.Turn(_attention.Rotary!, _rotation, keys);
        }

        pass.Step.Cache.Store(_layer, keys, values);
        pass.Step.Cache.Attend(_layer, queries, Sees(pass.Starts(_attention.Window), ends: default, pass), attended, pass.Step.Threads);
    }

    private void StepCross(ReadOnlySpan<float> input, Span<float> attended, StepPass pass)
    {
        using var buffer = new RowBuffer(attended.Length);
        _inputs[0].Apply(input, buffer.Span, pass.Step);
        var queries = new RowSlices(buffer.Span, pass.Rows, _attention.Heads, _attention.HeadWidth);
        _queryNorm?.Apply(queries);
        var (keys, values) = KeysAndValues(pass.Encoded!);
        var (starts, ends) = pass.Encoded!.Ranges!.Value;
        RowAttention.Compute(queries, CachedRows.Of(keys, values), Sees(starts, ends, pass), attended, pass.Step.Threads);
    }

    private AttentionRows Sees(int[] starts, ReadOnlySpan<int> ends, StepPass pass) => new()
    {
        Starts = starts,
        Ends = ends,
        Scale = (float)_attention.Scale,
        SoftCap = (float)(_attention.SoftCap ?? 0),
        Bias = _bias is null ? default : pass.Bias(_attention.Bias!.Table, _bias, _attention.Heads),
    };

    /// <summary>Queries, keys and values of each row, in a buffer [rows, (heads + 2 key-value heads) head width].</summary>
    private SplitRows ProjectRows(ReadOnlySpan<float> input, Span<float> buffer, StepPass pass)
    {
        var (rows, heads, keyHeads, width) = (pass.Rows, _attention.Heads, _attention.KeyValueHeads, _attention.HeadWidth);
        if (_attention.Packing == Packing.Apart)
        {
            var queries = buffer[..(rows * heads * width)];
            var keys = buffer.Slice(queries.Length, rows * keyHeads * width);
            var values = buffer[(queries.Length + keys.Length)..];
            _inputs[0].Apply(input, queries, pass.Step);
            _inputs[1].Apply(input, keys, pass.Step);
            _inputs[2].Apply(input, values, pass.Step);
            return new(
                new RowSlices(queries, rows, heads, width), new RowSlices(keys, rows, keyHeads, width),
                    new RowSlices(values, rows, keyHeads, width));
        }

        _inputs[0].Apply(input, buffer, pass.Step);
        return _attention.Packing == Packing.Rows
            ? new(
                RowSlices.Within(buffer, rows, 0, heads, width),
                RowSlices.Within(buffer, rows, heads * width, keyHeads, width),
                RowSlices.Within(buffer, rows, (heads + keyHeads) * width, keyHeads, width))
            : new(
                RowSlices.Within(buffer, rows, 0, heads, width, 3 * width),
                RowSlices.Within(buffer, rows, width, heads, width, 3 * width),
                RowSlices.Within(buffer, rows, 2 * width, heads, width, 3 * width));
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, AttentionMask mask, Tensor? bias, Pass pass)
    {
        var drops = pass.Training && pass.Dropout.Attention > 0;
        if (_attention.SoftCap is null && !drops && bias is null)
            return F.scaled_dot_product_attention(query, key, value, mask.Allowed, 0, mask.IsCausal);
        var allowed = mask.IsCausal ? AttentionMask.Triangle(query.shape[2], query.device) : mask.Allowed;
        if (_attention.SoftCap is null && !drops)
            return F.scaled_dot_product_attention(query, key, value, Combine(allowed, bias!.to(query.dtype)), 0, false);

        var scores = query.matmul(key.transpose(-2, -1)) / Math.Sqrt(_attention.HeadWidth);            // [B, H, T, S]
        if (_attention.SoftCap is { } cap)
            scores = (scores / cap).tanh() * cap;
        if (bias is not null)
            scores = scores + bias.to(scores.dtype);
        if (allowed is not null)
            scores = scores.masked_fill(allowed.logical_not(), finfo(scores.dtype).min);
        var weights = F.softmax(scores, -1, ScalarType.Float32).to(value.dtype);
        return pass.Draws.Apply(weights, pass.Dropout.Attention, pass.Training).matmul(value);
    }

    private static Tensor Combine(Tensor? allowed, Tensor bias) =>
        allowed is null ? bias : bias.masked_fill(allowed.logical_not(), finfo(bias.dtype).min);

    private (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, Pass pass)
    {
        var (query, key, value) = Split(x);
        if (_queryNorm is not null)
            query = _queryNorm.call(query);
        if (_keyNorm is not null)
            key = _keyNorm.call(key);
        if (_rotation is not null)
        {
            var (cosines, sines) = pass.Rotations[_attention.Rotary!];
            (query, key) = (_rotation.Turn(query, cosines, sines), _rotation.Turn(key, cosines, sines));
        }

        return (query.to(value.dtype), key.to(value.dtype), value); // the heads' norms give float32 in mixed precision
    }

    /// <summary>Queries of the text, keys and values of what the encoder gave, which are computed once.</summary>
    private (Tensor Query, Tensor Key, Tensor Value) ProjectCross(Tensor x, EncodedText encoded)
    {
        var query = SplitHeads(_inputs[0].call(x), _attention.Heads);
        if (_queryNorm is not null)
            query = _queryNorm.call(query);
        var (key, value) = KeysAndValues(encoded);
        return (query, key, value);
    }

    private (Tensor Keys, Tensor Values) KeysAndValues(EncodedText encoded) => encoded.KeysAndValues(_layer, source =>
    {
        var keys = SplitHeads(_inputs[1].call(source), _attention.KeyValueHeads);
        return (_keyNorm?.call(keys) ?? keys, SplitHeads(_inputs[2].call(source), _attention.KeyValueHeads));
    });

    private (Tensor Query, Tensor Key, Tensor Value) Split(Tensor x)
    {
        var (heads, keyHeads, width) = (_attention.Heads, _attention.KeyValueHeads, _attention.HeadWidth);
        switch (_attention.Packing)
        {
            case Packing.Apart:
                return (SplitHeads(_inputs[0].call(x), heads), SplitHeads(_inputs[1].call(x), keyHeads),
                    SplitHeads(_inputs[2].call(x), keyHeads));
            case Packing.Rows:
                var parts = _inputs[0].call(x).split([heads * width, keyHeads * width, keyHeads * width], 2);
                return (SplitHeads(parts[0], heads), SplitHeads(parts[1], keyHeads), SplitHeads(parts[2], keyHeads));
            case Packing.PerHead:
                var all = _inputs[0].call(x).view(x.shape[0], x.shape[1], heads, 3 * width).transpose(1, 2); // [B, H, T, 3 D]
                return (all.narrow(-1, 0, width), all.narrow(-1, width, width), all.narrow(-1, 2 * width, width));
            default:
                throw new NotSupportedException($"Projections packed as {_attention.Packing} are not computed.");
        }
    }

    private Tensor SplitHeads(Tensor part, int heads) =>
        part.view(part.shape[0], part.shape[1], heads, _attention.HeadWidth).transpose(1, 2);

    /// <summary>Each head of keys or values for all heads of queries that read it.</summary>
    private Tensor Repeat(Tensor heads)
    {
        var (batch, length, group) = (heads.shape[0], heads.shape[2], _attention.Heads / _attention.KeyValueHeads);
        return heads.unsqueeze(2).expand(batch, _attention.KeyValueHeads, group, length, _attention.HeadWidth)
            .reshape(batch, _attention.Heads, length, _attention.HeadWidth);
    }

    /// <summary>Queries, keys and values of each row, each [rows, heads, head width].</summary>
    private readonly ref struct SplitRows(RowSlices queries, RowSlices keys, RowSlices values)
    {
        private readonly RowSlices _queries = queries;
        private readonly RowSlices _keys = keys;
        private readonly RowSlices _values = values;

        public void Deconstruct(out RowSlices queries, out RowSlices keys, out RowSlices values)
        {
            queries = _queries;
            keys = _keys;
            values = _values;
        }
    }
}
