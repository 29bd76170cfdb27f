namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>Step size and noise over the steps (arXiv 1912.04958, appendix D).</summary>
/// <param name="options">Checked before.</param>
internal sealed class ProjectionSchedule(ProjectionOptions options)
{
    /// <summary>The step size of a step, counted from 1.</summary>
    public double LearningRate(int step)
    {
        var time = Time(step);
        var down = 0.5 - 0.5 * Math.Cos(Math.PI * Share(1 - time, options.LearningRateRampDown));
        return options.LearningRate * down * Share(time, options.LearningRateRampUp);
    }

    /// <summary>The deviation of the noise on w in a step, in deviations of w.</summary>
    public double Noise(int step) =>
        options.NoiseFactor * Math.Pow(options.NoiseRamp == 0 ? 0 : Math.Max(0, 1 - Time(step) / options.NoiseRamp), 2);

    private double Time(int step) => (step - 1.0) / options.Steps;

    private static double Share(double time, double ramp) => ramp == 0 ? 1 : Math.Min(1, time / ramp);
}
