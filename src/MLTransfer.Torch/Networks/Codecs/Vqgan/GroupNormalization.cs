using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Normalizes groups of feature maps (arXiv 1803.08494): [B, channels, H, W] to the same shape.</summary>
internal sealed class GroupNormalization : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly double _epsilon;

    /// <param name="weights">Has <c>weight</c> and <c>bias</c>, each [channels].</param>
    /// <param name="channels">Feature maps, a multiple of the groups.</param>
    /// <param name="epsilon">Keeps the root from 0.</param>
    public GroupNormalization(WeightScope weights, int channels, double epsilon)
        : base(nameof(GroupNormalization))
    {
        _epsilon = epsilon;
        register_parameter("weight", _weight = weights.Take("weight", Initialization.Ones, channels));
        register_parameter("bias", _bias = weights.Take("bias", Initialization.Zeros, channels));
    }

    public override Tensor forward(Tensor input) => F.group_norm(input, VqganConfiguration.Groups, _weight, _bias, _epsilon);

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
