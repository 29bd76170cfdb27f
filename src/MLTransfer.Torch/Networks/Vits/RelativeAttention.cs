using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// Self-attention in which keys and values have a part by the distance of the two positions, up to a window each way (arXiv 1803.02155).
/// </summary>
internal sealed class RelativeAttention : NamedModule
{
    private readonly int _heads;
    private readonly int _window;
    private readonly double _dropoutProbability;
    private readonly DropoutSource _dropout;
    private readonly Parameter? _keys;
    private readonly Parameter? _values;

    public RelativeAttention(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(RelativeAttention))
    {
        (_heads, _window, _dropoutProbability, _dropout) = (c.Heads, c.Window, c.AttentionDropout, dropout);
        (Query, Key, Value, Output) = (Project("q_proj"), Project("k_proj"), Project("v_proj"), Project("out_proj"));
        if (_window > 0)
        {
            var width = c.HiddenWidth / c.Heads;
            var initialization = Initialization.Normal(1 / Math.Sqrt(width));
            register_parameter("emb_rel_k", _keys = weights.Take("emb_rel_k", initialization, 1, 2 * _window + 1, width));
            register_parameter("emb_rel_v", _values = weights.Take("emb_rel_v", initialization, 1, 2 * _window + 1, width));
        }

        Linear Project(string name)
        {
            var layer = new Linear(
                weights.Scope(name), c.HiddenWidth, c.HiddenWidth, WeightLayout.OutputByInput,
                Initialization.Normal(1 / Math.Sqrt(c.HiddenWidth)), c.HasProjectionBias) { DropoutSource = dropout };
            register_module(name, layer);
            return layer;
        }
    }

    public Linear Query { get; }

    public Linear Key { get; }

    public Linear Value { get; }

    public Linear Output { get; }

    /// <summary>[N, T, width] to the same shape.</summary>
    /// <param name="input">The hidden states.</param>
    /// <param name="padding">[N, 1, 1, T] bool: positions that nobody sees; null for none.</param>
    public Tensor Forward(Tensor input, Tensor? padding)
    {
        using var scope = NewDisposeScope();
        var (rows, length, width) = (input.shape[0], input.shape[1], input.shape[2] / _heads);
        var query = Split(Query.call(input) * Math.Pow(width, -0.5)); // [N, heads, T, head width]
        var scores = query.matmul(Split(Key.call(input)).transpose(2, 3)); // [N, heads, T, T]
        if (_keys is not null)
            scores += ToPositions(query.matmul(_keys[0].t()));
        if (padding is not null)
            scores = scores.masked_fill(padding, finfo(scores.dtype).min);
        var shares = _dropout.Apply(scores.softmax(-1), _dropoutProbability, training);
        var context = shares.matmul(Split(Value.call(input)));
        if (_values is not null)
            context += ToDistances(shares).matmul(_values[0]);
        return Output.call(context.transpose(1, 2).reshape(rows, length, _heads * width)).MoveToOuterDisposeScope();

        Tensor Split(Tensor x) => x.view(rows, length, _heads, width).transpose(1, 2);
    }

    /// <summary>By distance, [..., T, 2 window + 1], to by position, [..., T, T]; 0 outside the window.</summary>
    private Tensor ToPositions(Tensor byDistance)
    {
        var length = byDistance.shape[^2];
        var positions = arange(length, ScalarType.Int64, byDistance.device);
        var distance = positions.unsqueeze(0) - positions.unsqueeze(1); // [T, T]: from the row's position to the column's
        var index = (distance + _window).clamp(0, 2 * _window).expand([.. byDistance.shape[..^1], length]);
        return byDistance.gather(-1, index) * distance.abs().le(_window).to(byDistance.dtype);
    }

    /// <summary>By position, [..., T, T], to by distance, [..., T, 2 window + 1]; 0 where there is no such position.</summary>
    private Tensor ToDistances(Tensor byPosition)
    {
        var (length, device) = (byPosition.shape[^1], byPosition.device);
        var offsets = arange(-_window, _window + 1, dtype: ScalarType.Int64, device: device).unsqueeze(0);
        var position = arange(length, ScalarType.Int64, device).unsqueeze(1) + offsets; // [T, 2 window + 1]
        var index = position.clamp(0, length - 1);
        var isThere = index.eq(position).to(byPosition.dtype);
        return byPosition.gather(-1, index.expand([.. byPosition.shape[..^1], 2L * _window + 1])) * isThere;
    }
}
