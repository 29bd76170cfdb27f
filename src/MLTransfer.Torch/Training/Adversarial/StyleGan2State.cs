namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>What the training of a StyleGAN2 knows besides weights and optimizer state.</summary>
internal sealed record StyleGan2State : RunState
{
    /// <summary>The running mean of path lengths.</summary>
    public double PathLengthMean { get; init; }

    /// <summary>Updates of the generator's optimizer, those of regularization included.</summary>
    public int GeneratorUpdates { get; init; }

    /// <summary>Updates of the discriminator's optimizer, those of regularization included.</summary>
    public int DiscriminatorUpdates { get; init; }

    /// <summary>How strong augmentation is; null before the first update.</summary>
    public AugmentationControl.State? Augmentation { get; init; }
}
