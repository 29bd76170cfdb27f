namespace AudioGeneration.Tunes;

/// <summary>Tempo and metre of notes, by the spectrum of their onsets: that of the onsets' autocorrelation.</summary>
internal static class Rhythm
{
    /// <summary>Of beats in a minute, as tunes have them.</summary>
    private const double Slowest = 70, Fastest = 162;

    /// <summary>The seconds of a beat: twice the longest time between two ticks that all notes begin at.</summary>
    public static double BeatSeconds(IReadOnlyList<HeardNote> notes)
    {
        var (ones, starts) = (notes.Select(_ => 1.0).ToArray(), notes.Select(note => note.Start).ToArray());
        var candidates = new List<(double Beat, double Fit)>();
        for (var rate = Slowest; rate <= Fastest; rate += 0.25)
            candidates.Add((60 / rate, Fit(starts, ones, 30 / rate)));
        var best = candidates.Max(candidate => candidate.Fit);
        var slowest = candidates.First(candidate => candidate.Fit >= 0.85 * best);
        // the top of the peak that it is on
        return candidates.Where(candidate => Math.Abs(candidate.Beat / slowest.Beat - 1) < 0.1).MaxBy(candidate => candidate.Fit).Beat;
    }

    /// <summary>3 or 4: after how many beats notes are loud again.</summary>
    public static int Metre(IReadOnlyList<HeardNote> notes, double beat)
    {
        var mean = notes.Average(note => note.Loudness);
        var (weights, starts) = (notes.Select(note => note.Loudness - mean).ToArray(), notes.Select(note => note.Start).ToArray());
        return Fit(starts, weights, 3 * beat) >= Fit(starts, weights, 4 * beat) ? 3 : 4;
    }

    /// <summary>How well weights recur with a period: the magnitude of their spectrum, at most the sum of weights' magnitudes.</summary>
    private static double Fit(double[] starts, double[] weights, double period)
    {
        double real = 0, imaginary = 0;
        foreach (var (start, weight) in starts.Zip(weights))
        {
            var (sine, cosine) = Math.SinCos(2 * Math.PI * start / period);
            (real, imaginary) = (real + weight * cosine, imaginary + weight * sine);
        }

        return Math.Sqrt(real * real + imaginary * imaginary) / weights.Sum(Math.Abs);
    }
}
