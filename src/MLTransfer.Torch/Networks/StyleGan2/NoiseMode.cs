namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>Where the synthesis network takes its per-pixel noise from (<c>noise_mode</c>).</summary>
public enum NoiseMode
{
    /// <summary>New noise for every image.</summary>
    Random,

    /// <summary>The noise maps that are part of the checkpoint, the same for every image.</summary>
    Constant,

    /// <summary>None.</summary>
    None,
}
