using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A layer over sequences of feature maps.</summary>
internal abstract class CodecLayer(string name) : NamedModule(name)
{
    /// <summary>[B, channels, T] to [B, channels, T], perhaps with other channels and another length.</summary>
    public abstract Tensor Forward(Tensor input);
}
