using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training.Audio;

namespace MLTransfer;

/// <summary>How far generated sounds are from real ones. What was not measured is null.</summary>
/// <param name="SoundCount">The real sounds, and as many generated ones.</param>
public sealed record AudioMetrics(int SoundCount)
{
    /// <summary>
    /// How well a network of music predicts the codes of the real sounds, by codebook: the loss in nats, and its perplexity.
    /// </summary>
    public MusicEvaluationResult? Codes { get; init; }

    /// <summary>
    /// The Frechet distance between the features of generated and of real sounds, in the square of their unit; see
    /// <see cref="FeatureDistances.FrechetDistance"/>. Comparable over the same features and about as many sounds alone.
    /// </summary>
    public double? FrechetDistance { get; init; }

    /// <summary>The kernel distance between them, without a unit; see <see cref="FeatureDistances.KernelDistance"/>.</summary>
    public double? KernelDistance { get; init; }

    /// <summary>Cepstra (decibels) and pitches (hertz, semitones, cents) of pairs that say the same.</summary>
    public SpeechDistances? Speech { get; init; }

    /// <summary>Signal-to-noise ratio (decibels) and difference of mel spectrograms (nats) of what a codec decoded.</summary>
    public ReconstructionDistances? Reconstruction { get; init; }
}
