using MLTransfer.Torch.Networks.StyleGan2;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>
/// How pictures are projected into the latent space of a StyleGAN2 (arXiv 1912.04958, appendix D), whose schedule and weights are the
/// defaults.
/// </summary>
public sealed record ProjectionOptions
{
    /// <summary><see cref="LatentSpace.W"/>, or <see cref="LatentSpace.WPlus"/>, which comes nearer to pictures that the generator would
    /// not make.</summary>
    public LatentSpace Space { get; init; } = LatentSpace.W;

    /// <summary>Updates of the latent vector; the paper does 1000.</summary>
    public int Steps { get; init; } = 300;

    /// <summary>The highest step size of Adam.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>The share of the steps over which the step size rises in a line.</summary>
    public double LearningRateRampUp { get; init; } = 0.05;

    /// <summary>The share of the steps, at the end, over which it falls along a cosine.</summary>
    public double LearningRateRampDown { get; init; } = 0.25;

    /// <summary>The noise on the latent vector at the start, in deviations of w, so that a better valley is found.</summary>
    public double NoiseFactor { get; init; } = 0.05;

    /// <summary>The share of the steps over which it vanishes.</summary>
    public double NoiseRamp { get; init; } = 0.75;

    /// <summary>
    /// Whether the generator's noise maps change with the latent vector, as in the paper; else those of the model stay, which are what it
    /// draws with afterwards.
    /// </summary>
    public bool OptimizesNoise { get; init; } = true;

    /// <summary>The weight of what keeps noise maps from taking up the picture.</summary>
    public double NoiseRegularizationWeight { get; init; } = 1e5;

    /// <summary>
    /// The weight of the mean squared difference of pixels, which go from -1 to 1. The paper has none, but takes the features of a network
    /// trained on photographs.
    /// </summary>
    public double PixelWeight { get; init; } = 1;

    /// <summary>The weight of the squared distance of features; it counts where there is a network for them.</summary>
    public double FeatureWeight { get; init; } = 1;

    /// <summary>Latent vectors that are drawn to find the mean and the deviation of w.</summary>
    public int LatentSamples { get; init; } = 10_000;

    /// <summary>Decides on these samples, noise maps and noise; they are the same for every picture.</summary>
    public long Seed { get; init; } = 1;

    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        if (Space is not (LatentSpace.W or LatentSpace.WPlus))
        {
            throw new ArgumentOutOfRangeException(
                nameof(Space), Space, $"{nameof(Space)} must be {LatentSpace.W} or {LatentSpace.WPlus}: pictures are projected there.");
        }

        OptionRange.AtLeast(nameof(Steps), Steps, 1);
        OptionRange.Positive(nameof(LearningRate), LearningRate);
        OptionRange.Between(nameof(LearningRateRampUp), LearningRateRampUp, 0, 1);
        OptionRange.Between(nameof(LearningRateRampDown), LearningRateRampDown, 0, 1);
        OptionRange.NotNegative(nameof(NoiseFactor), NoiseFactor);
        OptionRange.Between(nameof(NoiseRamp), NoiseRamp, 0, 1);
        OptionRange.NotNegative(nameof(NoiseRegularizationWeight), NoiseRegularizationWeight);
        OptionRange.NotNegative(nameof(PixelWeight), PixelWeight);
        OptionRange.NotNegative(nameof(FeatureWeight), FeatureWeight);
        OptionRange.AtLeast(nameof(LatentSamples), LatentSamples, 1);
    }
}
