using MLTransfer.Torch.Sounds;

namespace AudioGeneration.Tunes;

/// <summary>Plays tunes.</summary>
internal static class TuneRenderer
{
    /// <summary>Samples a second.</summary>
    public const int SampleRate = 8000;

    private const double Loudest = 0.6;
    private const double Highest = 0.48 * SampleRate;

    /// <summary>Plays a tune; all last <see cref="Tune.Seconds"/>.</summary>
    /// <param name="tune">The tune.</param>
    /// <param name="random">Draws a flute's breath.</param>
    public static Waveform Render(Tune tune, Random random)
    {
        var samples = new float[(int)(Tune.Seconds * SampleRate)];
        foreach (var note in tune.Notes)
        {
            var start = (int)(note.Start * tune.BeatSeconds * SampleRate);
            var frequency = 440 * Math.Pow(2, (note.Pitch - 69) / 12.0);
            var length = Math.Min((int)(note.Length * tune.BeatSeconds * SampleRate), samples.Length - start);
            var sound = Play(tune.Style.Timbre, frequency, length, random);
            for (var i = 0; i < length; i++)
                samples[start + i] = (float)(Loudest * note.Loudness * sound[i] * Edge(i, length, tune.Style.Timbre));
        }

        return new Waveform(samples, SampleRate);
    }

    /// <summary>From 0 up at a note's start, and down before its end, so that the next one is heard to begin.</summary>
    private static double Edge(int i, int length, Timbre timbre)
    {
        var attack = (timbre == Timbre.Flute ? 0.03 : 0.004) * SampleRate;
        var release = 0.02 * SampleRate;
        return Math.Clamp(Math.Min(i / attack, (length - 1 - i) / release), 0, 1);
    }

    private static double[] Play(Timbre timbre, double frequency, int length, Random random) => timbre switch
    {
        Timbre.Sine => Partials(frequency, length, [(1, 1, 0)]),
        Timbre.String => PluckedString(frequency, length),
        Timbre.Square => Partials(frequency, length, [(1, 0.8, 0), (3, 0.27, 0), (5, 0.16, 0), (7, 0.11, 0), (9, 0.09, 0)]),
        Timbre.Organ => Partials(frequency, length, [(1, 0.5, 0), (2, 0.4, 0), (3, 0.15, 0), (4, 0.2, 0), (6, 0.1, 0), (8, 0.06, 0)]),
        Timbre.Flute => Flute(frequency, length, random),
        Timbre.Bell => Partials(frequency, length, [(1, 0.7, 2), (2, 0.25, 4), (2.76, 0.2, 8), (5.4, 0.15, 14)]),
        _ => throw new ArgumentOutOfRangeException(nameof(timbre), timbre, "There is no such timbre."),
    };

    /// <summary>A sum of sines.</summary>
    /// <param name="frequency">Of the first, in hertz.</param>
    /// <param name="length">In samples.</param>
    /// <param name="partials">Multiples of the frequency, each with its amplitude and by how many e-folds a second it fades.</param>
    private static double[] Partials(double frequency, int length, (double Multiple, double Amplitude, double Decay)[] partials)
    {
        var sound = new double[length];
        foreach (var (multiple, amplitude, decay) in partials.Where(partial => partial.Multiple * frequency < Highest))
        {
            for (var i = 0; i < length; i++)
            {
                var time = (double)i / SampleRate;
                sound[i] += amplitude * Math.Exp(-decay * time) * Math.Sin(2 * Math.PI * multiple * frequency * time);
            }
        }

        return sound;
    }

    private static double[] Flute(double frequency, int length, Random random)
    {
        var sound = new double[length];
        double phase = 0, breath = 0;
        for (var i = 0; i < length; i++)
        {
            var time = (double)i / SampleRate;
            var vibrato = 0.008 * Math.Min(1, time / 0.2) * Math.Sin(2 * Math.PI * 5.5 * time);
            phase += 2 * Math.PI * frequency * (1 + vibrato) / SampleRate;
            breath += 0.3 * (random.NextDouble() - 0.5 - breath);
            sound[i] = 0.75 * Math.Sin(phase) + 0.2 * Math.Sin(2 * phase) + 0.05 * Math.Sin(3 * phase) + 0.08 * breath;
        }

        return sound;
    }

    /// <summary>A string that is lifted at a fifth of its length and let go; what runs along it is averaged at each turn.</summary>
    private static double[] PluckedString(double frequency, int length)
    {
        var period = SampleRate / frequency - 0.5; // the average delays by half a sample
        var whole = (int)period;
        var part = period - whole;
        var line = new double[length + whole + 2];
        for (var i = 0; i <= whole + 1; i++)
        {
            var place = (i + 0.5) / (whole + 2);
            line[i] = place < 0.2 ? place / 0.2 : (1 - place) / 0.8;
        }

        var mean = line.Take(whole + 2).Average();
        for (var i = 0; i <= whole + 1; i++)
            line[i] = 1.6 * (line[i] - mean);
        for (var i = whole + 2; i < line.Length; i++)
        {
            double At(int delay) => line[i - delay];
            var (early, late) = ((1 - part) * At(whole) + part * At(whole + 1), (1 - part) * At(whole + 1) + part * At(whole + 2));
            line[i] = 0.994 * 0.5 * (early + late);
        }

        return line[(whole + 2)..];
    }
}
