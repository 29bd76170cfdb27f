namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Options of Lion (arXiv 2302.06675), with the paper's defaults.</summary>
/// <remarks>The paper has learning rates 3 to 10 times lower than AdamW's, and weight decays as much higher.</remarks>
public sealed record LionOptions : OptimizerOptions
{
    /// <summary>The share of the running mean in the sum whose sign is the step.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay rate of the gradient's running mean.</summary>
    public double Beta2 { get; init; } = 0.99;

    internal override OptimizerAlgorithm Algorithm => OptimizerAlgorithm.Lion;

    internal override void Check()
    {
        OptionRange.FromZeroToLessThanOne(nameof(Beta1), Beta1);
        OptionRange.FromZeroToLessThanOne(nameof(Beta2), Beta2);
    }
}
