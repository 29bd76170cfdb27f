namespace MLTransfer.Torch.Training.Audio;

/// <summary>The losses of a step, weighted.</summary>
internal sealed class SpeechStepLosses
{
    /// <summary>Whether the discriminator learned and was heard; else what it gave is zero.</summary>
    public bool IsAdversarial { get; init; } = true;

    public UpdateResult Discriminator { get; set; }

    public UpdateResult Generator { get; set; }

    /// <summary>How far real sounds were from 1, by part of the discriminator.</summary>
    public required double[] Real { get; init; }

    /// <summary>How far made sounds were from 0, by part of the discriminator.</summary>
    public required double[] Made { get; init; }

    public double Adversarial { get; set; }

    public double Features { get; set; }

    public double Mel { get; set; }

    public double Duration { get; set; }

    public double Divergence { get; set; }

    /// <summary>Adds what other processes found for their rows of the step.</summary>
    public void Sum(TrainingStep step)
    {
        double[] sums = [Adversarial, Features, Mel, Duration, Divergence];
        step.Sum(sums);
        (Adversarial, Features, Mel, Duration, Divergence) = (sums[0], sums[1], sums[2], sums[3], sums[4]);
        step.Sum(Real);
        step.Sum(Made);
    }
}
