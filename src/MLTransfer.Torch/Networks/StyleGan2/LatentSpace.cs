namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The spaces of what a StyleGAN2 makes a picture from.</summary>
public enum LatentSpace
{
    /// <summary>z: what is drawn from a normal distribution, [latent width].</summary>
    Z,

    /// <summary>w: one style for all layers, [style width].</summary>
    W,

    /// <summary>W+: a style for each layer, [<see cref="StyleGan2Generator.StyleCount"/>, style width].</summary>
    WPlus,
}
