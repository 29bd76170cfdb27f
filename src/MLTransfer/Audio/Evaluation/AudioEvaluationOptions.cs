using MLTransfer.Torch.Metrics;

namespace MLTransfer;

/// <summary>What <c>mlContext.Generation.EvaluateAudio</c> measures, and how.</summary>
public sealed class AudioEvaluationOptions
{
    /// <summary>
    /// The network over whose features the Frechet and kernel distances are measured. Null: of a model with a codec the mean over time of
    /// what its encoder gives (<see cref="CodecFeatureExtractor"/>), where there are two sounds at least; else there are no such distances.
    /// </summary>
    public IAudioFeatureExtractor? FeatureExtractor;

    /// <summary>
    /// Whether cepstra and pitches of each pair of sounds are compared, for which both must say the same. Null: of speech and of two
    /// columns
    /// they are, of music not.
    /// </summary>
    public bool? CompareSpeech;

    /// <summary>
    /// Whether each pair of sounds is compared sample by sample, as what a codec decoded and what was encoded. It makes no sense of sounds
    /// that were generated anew.
    /// </summary>
    public bool CompareReconstruction;

    /// <summary>Whether a model makes sounds, which are compared; off to measure the loss of codes alone, which takes far less time.</summary>
    public bool CompareGenerated = true;

    /// <summary>How pairs of sounds are compared.</summary>
    public SoundComparisonOptions Comparison = new();

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        if (Comparison is null)
            throw new ArgumentException($"{nameof(Comparison)} is null.");
        OptionCheck.AtLeast(nameof(Comparison.SampleRate), Comparison.SampleRate ?? 1, 1);
        if (FeatureExtractor is { SampleRate: < 1 } or { Channels: < 1 })
        {
            throw new ArgumentException(
                $"{nameof(FeatureExtractor)} says that it takes {FeatureExtractor.Channels} channels at {FeatureExtractor.SampleRate} Hz.");
        }
    }
}
