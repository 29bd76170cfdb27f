namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>How far a projection has come. Losses are those before the step's update; of several pictures they are means.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Steps">The last one.</param>
/// <param name="Loss">The weighted sum of the three that follow.</param>
/// <param name="PixelDistance">The mean squared difference of pixels, which go from -1 to 1.</param>
/// <param name="FeatureDistance">The squared distance of features; 0 where there is no network for them.</param>
/// <param name="NoiseRegularization">How much neighbouring pixels of the noise maps have to do with each other.</param>
/// <param name="GradientNorm">Of the latent vectors alone.</param>
/// <param name="LearningRate">The step size.</param>
/// <param name="StyleNoise">The deviation of the noise on the latent vectors.</param>
public sealed record ProjectionProgress(
    int Step, int Steps, double Loss, double PixelDistance, double FeatureDistance, double NoiseRegularization, double GradientNorm,
    double LearningRate, double StyleNoise);
