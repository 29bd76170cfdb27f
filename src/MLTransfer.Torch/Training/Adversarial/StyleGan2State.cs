namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>What a resumed training of a StyleGAN2 needs besides weights and optimizers.</summary>
/// <param name="PathLengthMean">The running mean of path lengths.</param>
/// <param name="Augmentation">How strong augmentation is.</param>
internal sealed record StyleGan2State(double PathLengthMean, AugmentationControl.State? Augmentation);
