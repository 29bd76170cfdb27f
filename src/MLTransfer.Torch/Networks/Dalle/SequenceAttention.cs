using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Attention of several heads over text and a picture.</summary>
/// <remarks>B: batch, T: positions, H: heads, D: width of a head.</remarks>
internal sealed class SequenceAttention : ILayerFunction
{
    private readonly DalleConfiguration _sizes;
    private readonly Linear _inputs;
    private readonly Linear _output;
    private readonly SequenceRotation? _rotation;
    private readonly DropoutSource _draws;
    private readonly Tensor? _mask; // [1, 1, positions, positions]; null where all earlier positions are seen

    /// <param name="name">Its own.</param>
    /// <param name="sizes">The transformer's.</param>
    /// <param name="builder">Makes the layers.</param>
    /// <param name="rotation">Turns queries, keys and values; null for nothing.</param>
    /// <param name="mask">Who sees whom; null where all earlier positions are seen.</param>
    public SequenceAttention(string name, DalleConfiguration sizes, DalleBuilder builder, SequenceRotation? rotation, Tensor? mask)
    {
        (_sizes, _rotation, _mask, _draws) = (sizes, rotation, mask, builder.Draws);
        var inner = sizes.Heads * sizes.HeadWidth;
        _inputs = builder.Linear($"{name}.to_qkv", sizes.Width, 3 * inner, hasBias: false);
        _output = builder.Linear($"{name}.to_out.0", inner, sizes.Width);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, int layer, SequencePass pass)
    {
        using var scope = NewDisposeScope();
        var (batch, length, heads) = (x.shape[0], x.shape[1], _sizes.Heads);
        var packed = _inputs.call(x).view(batch, length, 3 * heads, _sizes.HeadWidth);                  // [B, T, 3 H, D]
        if (_rotation is not null)
            packed = _rotation.Turn(packed);
        var all = packed.transpose(1, 2);                                                               // [B, 3 H, T, D]
        var (query, key, value) = (all.narrow(1, 0, heads), all.narrow(1, heads, heads), all.narrow(1, 2 * heads, heads));
        pass.Keep?.Invoke(layer, key, value);
        var allowed = _mask?.narrow(2, 0, length).narrow(3, 0, length);
        var attended = F.scaled_dot_product_attention(query, key, value, allowed, 0, allowed is null && length > 1);
        var output = _output.call(attended.transpose(1, 2).reshape(batch, length, heads * _sizes.HeadWidth));
        return _draws.Apply(output, _sizes.AttentionDropout, pass.Training).MoveToOuterDisposeScope();  // [B, T, width]
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<float> input, Span<float> output, int layer, CodeStep step)
    {
        var (rows, heads, width) = (step.Rows.Rows, _sizes.Heads, _sizes.HeadWidth);
        using var packed = new RowBuffer(rows * 3 * heads * width);
        using var attended = new RowBuffer(rows * heads * width);
        _inputs.Apply(input, packed.Span, step.Rows);
        _rotation?.Turn(new RowSlices(packed.Span, rows, 3 * heads, width), _sizes.TextPositions + step.Code);
        step.Cache.Layers[layer].Attend(
            step.Code,
            RowSlices.Within(packed.Span, rows, 0, heads, width),
            RowSlices.Within(packed.Span, rows, heads * width, heads, width),
            RowSlices.Within(packed.Span, rows, 2 * heads * width, heads, width),
            attended.Span, step.Rows.Threads);
        _output.Apply(attended.Span, output, step.Rows);
    }
}
