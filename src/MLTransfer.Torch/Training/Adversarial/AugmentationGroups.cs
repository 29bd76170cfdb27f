namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// Which random changes may be made to what the discriminator sees (arXiv 2006.06676, section 3 and appendix B). The paper's choice is all
/// of these.
/// </summary>
[Flags]
public enum AugmentationGroups
{
    /// <summary>Images are seen as they are.</summary>
    None = 0,

    /// <summary>
    /// Pixels change places and keep their values: mirroring, quarter turns and moves by up to an eighth of the width, in whole pixels.
    /// </summary>
    PixelBlitting = 1,

    /// <summary>Scaling, rotation, stretching and moves by any distance.</summary>
    Geometry = 2,

    /// <summary>Brightness and contrast, light and dark swapped, and, for images of three channels, hue and saturation.</summary>
    Color = 4,

    /// <summary>All of them, <c>bgc</c> in the paper.</summary>
    All = PixelBlitting | Geometry | Color,
}
