using static System.Math;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// The hidden Markov model of pYIN: a state for every tenth of a semitone with pitch, and one without. Its most likely path is found as
/// Viterbi does, over the transitions that are possible alone.
/// </summary>
internal sealed class PitchPath
{
    private const int BinsPerSemitone = 10;

    /// <summary>Octaves a second.</summary>
    private const double FastestChange = 35.92;

    /// <summary>That a frame has a pitch and the next has none, or the other way.</summary>
    private const double SwitchProbability = 0.01;

    /// <summary>The smallest normal number of 64 bits: it stands for what is impossible.</summary>
    private const double Tiny = 2.2250738585072014E-308;

    private readonly double _lowest;
    private readonly int _pitches;
    private readonly int _reach;
    private readonly double[] _shape;
    private readonly double[] _rowSums;
    private readonly List<int[]> _from = [];
    private double[] _values;

    public PitchPath(int sampleRate, PitchOptions options)
    {
        _lowest = options.LowestFrequency;
        _pitches = (int)Floor(12 * BinsPerSemitone * Log2(options.HighestFrequency / _lowest)) + 1;
        _reach = (int)Round(FastestChange * 12 * options.HopLength / sampleRate) * BinsPerSemitone / 2;
        // a triangle over the pitches that the next frame may have
        _shape = [.. Enumerable.Range(-_reach, 2 * _reach + 1).Select(i => 1 - Abs(i) / (_reach + 1.0))];
        _rowSums = [.. Enumerable.Range(0, _pitches).Select(pitch => Enumerable.Range(-_reach, 2 * _reach + 1)
            .Where(i => pitch + i >= 0 && pitch + i < _pitches).Sum(i => _shape[i + _reach]))];
        _values = [];
    }

    /// <summary>Adds a frame.</summary>
    /// <param name="candidates">Frequencies with their probabilities.</param>
    /// <returns>The probability that the frame has a pitch.</returns>
    public double Add(IEnumerable<(double Frequency, double Probability)> candidates)
    {
        var observed = new double[2 * _pitches];
        foreach (var (frequency, probability) in candidates)
        {
            var bin = (int)Clamp(Round(12 * BinsPerSemitone * Log2(frequency / _lowest)), 0, _pitches - 1);
            observed[bin] = probability;
        }

        var voiced = Clamp(observed.Sum(), 0, 1);
        observed.AsSpan(_pitches).Fill((1 - voiced) / _pitches);
        Step(observed);
        return voiced;
    }

    /// <summary>Hertz by frame; 0 without pitch.</summary>
    public float[] Decode()
    {
        var result = new float[_from.Count];
        if (result.Length == 0)
            return result;
        var state = _values.IndexOf(_values.Max());
        for (var frame = result.Length - 1; frame >= 0; frame--)
        {
            result[frame] = state < _pitches ? (float)(_lowest * Pow(2, state / (12.0 * BinsPerSemitone))) : 0;
            state = _from[frame][state];
        }

        return result;
    }

    private void Step(double[] observed)
    {
        var (values, from) = (new double[2 * _pitches], new int[2 * _pitches]);
        for (var state = 0; state < values.Length; state++)
        {
            // every state may be the first
            var (best, before) = _from.Count == 0 ? (0, 0) : BestBefore(state);
            (values[state], from[state]) = (best + Log(observed[state] + Tiny), before);
        }

        _from.Add(from);
        _values = values;
    }

    private (double Value, int State) BestBefore(int state)
    {
        var pitch = state % _pitches;
        var (best, before) = (double.NegativeInfinity, 0);
        for (var part = 0; part < 2; part++)
        {
            var same = part == state / _pitches;
            for (var other = Max(0, pitch - _reach); other <= Min(_pitches - 1, pitch + _reach); other++)
            {
                var probability = (same ? 1 - SwitchProbability : SwitchProbability) * _shape[pitch - other + _reach] / _rowSums[other];
                var value = _values[part * _pitches + other] + Log(probability + Tiny);
                if (value > best)
                    (best, before) = (value, part * _pitches + other);
            }
        }

        return (best, before);
    }
}
