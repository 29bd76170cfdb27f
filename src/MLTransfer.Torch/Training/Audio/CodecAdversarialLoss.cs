namespace MLTransfer.Torch.Training.Audio;

/// <summary>What discriminators of sounds, and who is trained against them, make small.</summary>
public enum CodecAdversarialLoss
{
    /// <summary>The hinge loss: max(0, 1 - D(real)) + max(0, 1 + D(made)), and max(0, 1 - D(made)).</summary>
    Hinge,

    /// <summary>Least squares (arXiv 1611.04076): (1 - D(real))^2 + D(made)^2, and (1 - D(made))^2.</summary>
    LeastSquares,
}
