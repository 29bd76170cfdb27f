namespace MLTransfer.Torch.Sounds;

/// <summary>The pitch of voices and of melodies.</summary>
public static class PitchTracking
{
    /// <summary>Below it, a trough of the differences is a period.</summary>
    private const double TroughThreshold = 0.1;

    /// <summary>
    /// The pitch of every frame by itself, by YIN (A. de Cheveigne and H. Kawahara, 2002). A frame without pitch, such as silence, has one
    /// nevertheless, which means nothing.
    /// </summary>
    /// <param name="samples">One channel.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="options">What a pitch is looked for in; null for the defaults.</param>
    /// <returns>Hertz, a frame each, the first with its middle at the first sample.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static float[] Yin(ReadOnlySpan<float> samples, int sampleRate, PitchOptions? options = null)
    {
        var differences = new PeriodDifferences(samples, sampleRate, options ?? new());
        var result = new float[differences.Frames];
        for (var frame = 0; frame < result.Length; frame++)
        {
            var values = differences.OfFrame(frame);
            var at = -1;
            for (var i = 0; i < values.Length && at < 0; i++)
            {
                if (values[i] < TroughThreshold && PeriodDifferences.IsTrough(values, i))
                    at = i;
            }

            if (at < 0)
                at = values.IndexOf(values.Min());
            result[frame] = (float)(sampleRate / (differences.ShortestPeriod + at + PeriodDifferences.BottomShift(values, at)));
        }

        return result;
    }

    /// <summary>
    /// The most likely course of the pitch, by pYIN (M. Mauch and S. Dixon, 2014): pitches of a tenth of a semitone that move at most
    /// 36 octaves a second, and stretches without pitch.
    /// </summary>
    /// <param name="samples">One channel.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="options">What a pitch is looked for in; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static PitchTrack ProbabilisticYin(ReadOnlySpan<float> samples, int sampleRate, PitchOptions? options = null)
    {
        options ??= new();
        var differences = new PeriodDifferences(samples, sampleRate, options);
        var candidates = new PitchCandidates();
        var path = new PitchPath(sampleRate, options);
        var voiced = new float[differences.Frames];
        for (var frame = 0; frame < voiced.Length; frame++)
        {
            var found = candidates.Of(differences.OfFrame(frame))
                .Select(candidate => (sampleRate / (differences.ShortestPeriod + candidate.Period), candidate.Probability));
            voiced[frame] = (float)path.Add(found);
        }

        return new(path.Decode(), voiced, options.HopLength);
    }
}
