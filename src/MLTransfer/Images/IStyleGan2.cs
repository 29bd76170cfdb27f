using MLTransfer.Torch.Networks.StyleGan2;

namespace MLTransfer.Images;

/// <summary>A transformer with a StyleGAN2.</summary>
internal interface IStyleGan2
{
    StyleGan2Model Model { get; }
}
