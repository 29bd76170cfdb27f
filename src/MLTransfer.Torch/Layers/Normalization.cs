using MLTransfer.Torch.Layers.Fused;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>A normalization over the last dimension.</summary>
internal sealed class Normalization : nn.Module<Tensor, Tensor>
{
    private readonly NormKind _kind;
    private readonly long[] _shape;
    private readonly double _epsilon;
    private readonly Parameter? _weight;
    private readonly Parameter? _bias;

    public Normalization(WeightScope weights, NormKind kind, int width, double epsilon, bool hasWeight = true, bool hasBias = true)
        : base(nameof(Normalization))
    {
        (_kind, _shape, _epsilon) = (kind, [width], epsilon);
        if (hasWeight)
        {
            _weight = weights.Take("weight", kind == NormKind.RootMeanSquareOnePlus ? Initialization.Zeros : Initialization.Ones, width);
            register_parameter("weight", _weight);
        }

        if (hasBias)
        {
            _bias = weights.Take("bias", Initialization.Zeros, width);
            register_parameter("bias", _bias);
        }
    }

    /// <summary>[..., width] to the same shape.</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        if (_kind == NormKind.Layer)
        {
            // libtorch's backward pass takes another type than the parameters' only where there are both
            var typed = _weight is null != _bias is null ? input.to((_weight ?? _bias)!.dtype) : input;
            return F.layer_norm(typed, _shape, _weight, _bias, _epsilon).MoveToOuterDisposeScope();
        }

        if (RootMeanSquareFunction.Takes(input, _weight) && _bias is null)
        {
            // between two types libtorch's product takes the wider one
            var type = _weight is null || _kind == NormKind.RootMeanSquareOnePlus ? input.dtype : ScalarType.Float32;
            return RootMeanSquareFunction.Call(input, _weight, _kind == NormKind.RootMeanSquareOnePlus, _epsilon, type)
                .MoveToOuterDisposeScope();
        }

        var x = input.to(ScalarType.Float32);
        var normalized = x * (x.square().mean([-1], keepdim: true) + _epsilon).rsqrt();
        if (_kind == NormKind.RootMeanSquareOnePlus && _weight is not null)
            normalized = (normalized * (_weight.to(ScalarType.Float32) + 1)).to(input.dtype);
        else if (_weight is not null)
            normalized = normalized.to(input.dtype) * _weight;
        else
            normalized = normalized.to(input.dtype);
        return (_bias is null ? normalized : normalized + _bias).MoveToOuterDisposeScope();
    }

    /// <summary>[rows, width] to the same shape.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="output">May be the input.</param>
    public void Apply(ReadOnlySpan<float> input, Span<float> output)
    {
        var width = (int)_shape[0];
        using var parameters = new RowBuffer(2 * width);
        var weight = Read(_weight, parameters.Span[..width]);
        var bias = Read(_bias, parameters.Span[width..]);
        if (_kind == NormKind.Layer)
            RowNormalization.Layer(input, width, weight, bias, (float)_epsilon, output);
        else
            RowNormalization.RootMeanSquare(input, width, weight, _kind == NormKind.RootMeanSquareOnePlus, (float)_epsilon, output);
    }

    /// <summary>Normalizes each slice of rows where it lies: [rows, slices, width].</summary>
    public void Apply(RowSlices slices)
    {
        var width = (int)_shape[0];
        using var parameters = new RowBuffer(2 * width);
        var weight = Read(_weight, parameters.Span[..width]);
        var bias = Read(_bias, parameters.Span[width..]);
        if (_kind == NormKind.Layer)
            RowNormalization.Layer(slices, weight, bias, (float)_epsilon);
        else
            RowNormalization.RootMeanSquare(slices, weight, _kind == NormKind.RootMeanSquareOnePlus, (float)_epsilon);
    }

    private static ReadOnlySpan<float> Read(Parameter? parameter, Span<float> target)
    {
        if (parameter is null)
            return default;
        FloatRows.Read(parameter, 0, target);
        return target;
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
