using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Tunes;

/// <summary>What the timbre of a note is told by: its harmonics, what is between them, how it fades, and how its pitch waves.</summary>
internal static class TimbreFeatures
{
    private const int Harmonics = 6;
    private const int Frame = 512;

    // What is weaker than that is as good as not there: codecs leave noise of that strength.
    private const double LeastShare = 1e-2;
    private const double LeastWaves = 0.1;

    /// <summary>The features of a note.</summary>
    /// <param name="samples">The sound that it is in.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="start">In seconds.</param>
    /// <param name="end">In seconds.</param>
    /// <param name="pitch">In semitones.</param>
    /// <param name="pitches">Hertz by frame.</param>
    /// <param name="hop">Samples from frame to frame.</param>
    public static IReadOnlyList<double> Of(
        ReadOnlySpan<float> samples, int rate, double start, double end, double pitch, float[] pitches, int hop)
    {
        var frequency = 440 * Math.Pow(2, (pitch - 69) / 12);
        var frame = new float[Frame];
        var place = Math.Clamp((int)((start + 0.02) * rate), 0, samples.Length);
        samples.Slice(place, Math.Min(Frame, samples.Length - place)).CopyTo(frame);
        var bins = new FourierFrames(Frame, Frame) { Padding = FramePadding.None }.Magnitudes(frame);
        var total = 1e-9;
        for (var bin = 1; bin < bins.GetLength(0); bin++)
            total += bins[bin, 0] * bins[bin, 0];
        var features = new List<double>();
        var harmonic = 0.0;
        for (var k = 1; k <= Harmonics; k++)
        {
            var power = Power(bins, k * frequency * Frame / rate);
            harmonic += power;
            if (k > 1)
                features.Add(Decibels(power / total, LeastShare));
        }

        features.Add(Decibels(Math.Max(0, total - harmonic) / total, LeastShare)); // noise, and partials that are no harmonics
        var last = Math.Min(end - 0.03, start + 0.3);
        var early = TuneListener.Loudness(TuneListener.Slice(samples, rate, start + 0.01, start + 0.05));
        var late = TuneListener.Loudness(TuneListener.Slice(samples, rate, last - 0.04, last));
        var fading = 20 * Math.Log10((late + 1e-4) / (early + 1e-4)) / Math.Max(0.05, last - start - 0.05); // decibels a second
        features.Add(Math.Clamp(fading, -80, 40));
        features.Add(Decibels(Waves(pitches, rate, hop, start + 0.06, end - 0.05, frequency), LeastWaves));
        return features;
    }

    /// <summary>The power around a bin; 0 above half the rate.</summary>
    private static double Power(float[,] bins, double middle)
    {
        var sum = 0.0;
        for (var bin = (int)Math.Round(middle) - 2; bin <= (int)Math.Round(middle) + 2; bin++)
            sum += bin > 0 && bin < bins.GetLength(0) ? bins[bin, 0] * bins[bin, 0] : 0;
        return sum;
    }

    /// <summary>The mean square of the relative deviation from the pitch, in units of a hundredth.</summary>
    private static double Waves(float[] pitches, int rate, int hop, double start, double end, double frequency)
    {
        int At(double seconds) => Math.Clamp((int)(seconds * rate / hop), 0, pitches.Length - 1);
        var (from, to) = (At(start), At(end));
        return to <= from ? 0 : pitches[from..to].Average(pitch => Math.Min(25, Math.Pow(100 * (pitch / frequency - 1), 2)));
    }

    private static double Decibels(double power, double least) => 10 * Math.Log10(power + least);
}
