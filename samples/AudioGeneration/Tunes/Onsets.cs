using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Tunes;

/// <summary>Where notes begin: where the spectrum grows.</summary>
internal static class Onsets
{
    private const int Frame = 256;
    private const int Hop = 40;

    /// <summary>Seconds that one note at least lasts.</summary>
    private const double Shortest = 0.09;

    /// <summary>Finds the onsets of a sound of one channel, in seconds.</summary>
    public static IReadOnlyList<double> Find(Waveform sound)
    {
        var strength = Strength(sound);
        var reach = (int)(Shortest * sound.SampleRate / Hop);
        var threshold = 0.15 * strength.Order().ElementAt((int)(0.995 * (strength.Length - 1)));
        var onsets = new List<double>();
        for (var frame = 0; frame < strength.Length; frame++)
        {
            var (from, to) = (Math.Max(0, frame - reach), Math.Min(strength.Length - 1, frame + reach));
            var value = strength[frame];
            if (value <= threshold || value <= 0)
                continue;
            var isPeak = true;
            for (var other = from; other <= to && isPeak; other++)
                isPeak = strength[other] < value || (strength[other] == value && other >= frame);
            if (isPeak)
                onsets.Add((double)frame * Hop / sound.SampleRate);
        }

        return onsets;
    }

    /// <summary>
    /// By how much the magnitudes of bins grow, in a scale between linear and logarithmic, over what they and their neighbours were before:
    /// a vibrato, which moves power from bin to bin, does not count.
    /// </summary>
    private static double[] Strength(Waveform sound)
    {
        var bins = new FourierFrames(Frame, Hop) { Padding = FramePadding.ZeroHalfFrame }.Magnitudes(sound.Channel(0));
        var (count, frames) = (bins.GetLength(0), bins.GetLength(1));
        var strength = new double[frames];
        const int back = 3;
        for (var frame = back; frame < frames; frame++)
        {
            for (var bin = 0; bin < count; bin++)
            {
                var before = bins[bin, frame - back];
                if (bin > 0)
                    before = Math.Max(before, bins[bin - 1, frame - back]);
                if (bin + 1 < count)
                    before = Math.Max(before, bins[bin + 1, frame - back]);
                strength[frame] += Math.Max(0, Scaled(bins[bin, frame]) - Scaled(before));
            }
        }

        return strength;
    }

    private static double Scaled(float magnitude) => Math.Log(1 + magnitude);
}
