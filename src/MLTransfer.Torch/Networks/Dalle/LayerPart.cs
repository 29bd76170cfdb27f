using System.Numerics.Tensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>A half of a layer, which is added to the residual stream: normalized, perhaps shifted, what the function makes of it, perhaps
/// normalized again, times a scale for each channel (LayerScale, arXiv 2103.17239).</summary>
internal sealed class LayerPart
{
    private readonly int _layer;
    private readonly int _index;
    private readonly int _width;
    private readonly Normalization _norm;
    private readonly TokenShift? _shift;
    private readonly ILayerFunction _function;
    private readonly Normalization? _outputNorm;
    private readonly Parameter _scale;

    /// <param name="layer">The layer's number.</param>
    /// <param name="isAttention">Which half.</param>
    /// <param name="sizes">The transformer's.</param>
    /// <param name="builder">Makes norms and the scale.</param>
    /// <param name="shift">Shifts what is read; null for nothing.</param>
    /// <param name="function">May be another layer's too.</param>
    public LayerPart(
        int layer, bool isAttention, DalleConfiguration sizes, DalleBuilder builder, TokenShift? shift, ILayerFunction function)
    {
        (_layer, _index, _width, _shift, _function) = (layer, 2 * layer + (isAttention ? 0 : 1), sizes.Width, shift, function);
        var name = builder.Names.Part(layer, isAttention);
        _norm = builder.Normalization($"{name}.fn.norm", sizes.Width);
        if (sizes.SandwichNorms)
            _outputNorm = builder.Normalization($"{name}.fn.norm_out", sizes.Width);
        var initial = layer < 18 ? 0.1 : layer < 24 ? 1e-5 : 1e-6;
        _scale = builder.Parameter($"{name}.scale", Initialization.Of(initial), 1, 1, sizes.Width);
    }

    /// <summary>What is added: [B, T, width] to the same shape.</summary>
    public Tensor Forward(Tensor x, SequencePass pass)
    {
        using var scope = NewDisposeScope();
        var input = _norm.call(x);
        if (_shift is not null)
            input = _shift.Forward(input);
        var output = _function.Forward(input, _layer, pass);
        return ((_outputNorm?.call(output) ?? output) * _scale).MoveToOuterDisposeScope();
    }

    /// <summary>Adds what the function makes of one new code of each row.</summary>
    /// <param name="x">What is read: [rows, width].</param>
    /// <param name="target">What it is added to; may be what is read.</param>
    /// <param name="step">What layers share.</param>
    public void Step(ReadOnlySpan<float> x, Span<float> target, CodeStep step)
    {
        using var input = new RowBuffer(x.Length);
        using var output = new RowBuffer(x.Length);
        using var scale = new RowBuffer(_width);
        _norm.Apply(x, input.Span);
        _shift?.Step(input.Span, step.Cache.Shifted[_index], step.Code);
        _function.Step(input.Span, output.Span, _layer, step);
        _outputNorm?.Apply(output.Span, output.Span);
        FloatRows.Read(_scale, 0, scale.Span);
        for (var start = 0; start < x.Length; start += _width)
        {
            var row = target.Slice(start, _width);
            TensorPrimitives.MultiplyAdd(output.Span.Slice(start, _width), scale.Span, row, row);
        }
    }
}
