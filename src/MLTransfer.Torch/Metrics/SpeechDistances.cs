namespace MLTransfer.Torch.Metrics;

/// <summary>How far generated speech is from recordings of the same texts.</summary>
/// <param name="CepstralDistortion">
/// The mel-cepstral distortion (R. Kubichek, 1993) along the alignment by dynamic time warping, in decibels: the mean over pairs of sounds.
/// </param>
/// <param name="UnalignedCepstralDistortion">The same of frames at the same time, over those that both sounds have.</param>
/// <param name="RealPitch">Of all recordings together.</param>
/// <param name="GeneratedPitch">Of all generated sounds together.</param>
/// <param name="PitchError">
/// The root of the mean square distance of pitches, in cents, over aligned frames of which both have one; null where there are none.
/// </param>
/// <param name="GrossPitchErrorShare">
/// The share of those frames whose pitches differ by more than a fifth of the real one; null where there are none.
/// </param>
/// <param name="VoicingErrorShare">The share of aligned frames of which one alone has a pitch.</param>
public sealed record SpeechDistances(
    double CepstralDistortion, double UnalignedCepstralDistortion, PitchStatistics RealPitch, PitchStatistics GeneratedPitch,
    double? PitchError, double? GrossPitchErrorShare, double VoicingErrorShare)
{
    /// <summary>By how many semitones generated speech is higher than the recordings on average; null where one has no pitch.</summary>
    public double? PitchDifference => 12 * (Octave(GeneratedPitch) - Octave(RealPitch));

    private static double? Octave(PitchStatistics pitch) => pitch.MeanFrequency is { } frequency ? Math.Log2(frequency) : null;
}
