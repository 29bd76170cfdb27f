namespace MLTransfer.Torch.Metrics;

/// <summary>The pitch of sounds, over all their frames.</summary>
/// <param name="MeanFrequency">The geometric mean of frames that have a pitch, in hertz; null where none has.</param>
/// <param name="Deviation">Their standard deviation, in semitones; null where none has a pitch.</param>
/// <param name="VoicedShare">The share of frames that have a pitch.</param>
public sealed record PitchStatistics(double? MeanFrequency, double? Deviation, double VoicedShare)
{
    /// <param name="frequencies">Hertz, a frame each; 0 where a frame has no pitch.</param>
    internal static PitchStatistics Of(IReadOnlyList<float> frequencies)
    {
        double[] octaves = [.. frequencies.Where(frequency => frequency > 0).Select(frequency => Math.Log2(frequency))];
        var share = (double)octaves.Length / Math.Max(1, frequencies.Count);
        if (octaves.Length == 0)
            return new(null, null, share);
        var mean = octaves.Average();
        return new(Math.Pow(2, mean), 12 * Math.Sqrt(octaves.Average(octave => (octave - mean) * (octave - mean))), share);
    }
}
