using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>Layer normalization over the last dimension (arXiv 1607.06450).</summary>
internal sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    private readonly long[] _shape;
    private readonly double _epsilon;
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    public LayerNorm(WeightScope weights, int width, double epsilon)
        : base(nameof(LayerNorm))
    {
        _shape = [width];
        _epsilon = epsilon;
        _weight = weights.Take("weight", Initialization.Ones, width);
        _bias = weights.Take("bias", Initialization.Zeros, width);
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    /// <summary>[..., width] to the same shape.</summary>
    public override Tensor forward(Tensor input) => F.layer_norm(input, _shape, _weight, _bias, _epsilon);

    /// <summary>[rows, width] to the same shape.</summary>
    public void Apply(ReadOnlySpan<float> input, Span<float> output)
    {
        var width = (int)_shape[0];
        using var parameters = new RowBuffer(2 * width);
        var weight = parameters.Span[..width];
        var bias = parameters.Span[width..];
        FloatRows.Read(_weight, 0, weight);
        FloatRows.Read(_bias, 0, bias);
        RowNormalization.Layer(input, width, weight, bias, (float)_epsilon, output);
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
