namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>What Adam's family is told.</summary>
/// <param name="Beta1">The decay rate of the gradient's running mean.</param>
/// <param name="Beta2">The decay rate of the squared gradient's running mean.</param>
/// <param name="Epsilon">Added to the denominator.</param>
internal readonly record struct AdamCoefficients(double Beta1, double Beta2, double Epsilon)
{
    /// <summary>Those of arXiv 1412.6980.</summary>
    public static AdamCoefficients Usual { get; } = new(0.9, 0.999, 1e-8);
}
