using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Normalizes over channels and time together, then scales each channel (arXiv 1803.08494, one group).</summary>
internal sealed class OutputNorm : NamedModule
{
    private const double Epsilon = 1e-5;

    private readonly Parameter _weight;
    private readonly Parameter _bias;

    /// <param name="weights">Has <c>weight</c> and <c>bias</c>, [channels].</param>
    /// <param name="channels">Feature maps.</param>
    public OutputNorm(WeightScope weights, int channels)
        : base(nameof(OutputNorm))
    {
        register_parameter("weight", _weight = weights.Take("weight", Initialization.Ones, channels));
        register_parameter("bias", _bias = weights.Take("bias", Initialization.Zeros, channels));
    }

    /// <summary>[B, channels, T] to the same shape.</summary>
    public Tensor Forward(Tensor input) => F.group_norm(input, 1, _weight, _bias, Epsilon);
}
