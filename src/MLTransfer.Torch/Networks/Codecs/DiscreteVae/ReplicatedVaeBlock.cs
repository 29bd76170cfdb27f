using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>A residual block: three convolutions beside its input.</summary>
internal sealed class ReplicatedVaeBlock : NamedModule
{
    private readonly Convolution _first;
    private readonly Convolution _second;
    private readonly Convolution _last;

    /// <param name="weights">Has <c>net.0</c>, <c>net.2</c> and <c>net.4</c>.</param>
    /// <param name="width">Feature maps.</param>
    public ReplicatedVaeBlock(WeightScope weights, int width)
        : base(nameof(ReplicatedVaeBlock))
    {
        _first = Add("net.0", kernel: 3, Math.Sqrt(2));
        _second = Add("net.2", kernel: 3, Math.Sqrt(2));
        _last = Add("net.4", kernel: 1, gain: 1);

        Convolution Add(string place, int kernel, double gain)
        {
            var convolution = new Convolution(weights.Scope(place), ReplicatedVae.Names, width, width, kernel, gain);
            ModuleNode.Add(this, place, convolution);
            return convolution;
        }
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (_last.Forward(_second.Forward(_first.Forward(input).relu_()).relu_()) + input).MoveToOuterDisposeScope();
    }
}
