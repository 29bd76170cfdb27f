using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A flow that scales and shifts each channel.</summary>
internal sealed class ElementwiseAffine : NamedModule
{
    public ElementwiseAffine(WeightScope weights)
        : base(nameof(ElementwiseAffine))
    {
        register_parameter("translate", Shift = weights.Take("translate", Initialization.Zeros, VitsConfiguration.DurationChannels, 1));
        register_parameter("log_scale", LogScale = weights.Take("log_scale", Initialization.Zeros, VitsConfiguration.DurationChannels, 1));
    }

    /// <summary>[channels, 1].</summary>
    public Parameter Shift { get; }

    /// <summary>[channels, 1].</summary>
    public Parameter LogScale { get; }

    /// <summary>[N, channels, T] to the same shape, and the logarithm of the determinant, [N].</summary>
    public (Tensor Output, Tensor LogDeterminant) Forward(Tensor input, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var output = (Shift + LogScale.exp() * input) * mask;
        return (output.MoveToOuterDisposeScope(), (LogScale * mask).sum([1, 2]).MoveToOuterDisposeScope());
    }

    /// <summary>The inverse.</summary>
    public Tensor Reverse(Tensor input, Tensor mask)
    {
        using var scope = NewDisposeScope();
        return ((input - Shift) * (-LogScale).exp() * mask).MoveToOuterDisposeScope();
    }
}
