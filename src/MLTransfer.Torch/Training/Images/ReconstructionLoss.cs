namespace MLTransfer.Torch.Training.Images;

/// <summary>How far a decoded picture is from the real one, in the training of a discrete VAE.</summary>
public enum ReconstructionLoss
{
    /// <summary>
    /// Minus the logarithm of the logit-Laplace density, whose scale the decoder tells (arXiv 2102.12092, appendix A.3), the mean over all
    /// values; for DALL-E's networks only.
    /// </summary>
    LogitLaplace,

    /// <summary>The mean squared difference of values.</summary>
    MeanSquared,

    /// <summary>The mean of half the squared difference of values, of less than 1 for larger ones (<c>smooth_l1_loss</c>).</summary>
    SmoothL1,
}
