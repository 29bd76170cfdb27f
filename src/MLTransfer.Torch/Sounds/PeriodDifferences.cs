using System.Numerics.Tensors;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// How unlike a frame is to itself a period later, by period: the cumulative mean normalized difference of YIN (A. de Cheveigne and
/// H. Kawahara, 2002), 0 for a wave that repeats.
/// </summary>
internal sealed class PeriodDifferences
{
    /// <summary>Silence differs from itself by nothing, which is not divided by nothing.</summary>
    private const double Tiny = 1.1754943508222875E-38;

    private readonly double[] _samples;
    private readonly int _frameLength;
    private readonly int _hopLength;
    private readonly double[] _differences;

    public PeriodDifferences(ReadOnlySpan<float> samples, int sampleRate, PitchOptions options)
    {
        options.Check(sampleRate);
        (_frameLength, _hopLength) = (options.FrameLength, options.HopLength);
        ShortestPeriod = (int)(sampleRate / options.HighestFrequency);
        LongestPeriod = Math.Min((int)Math.Ceiling(sampleRate / options.LowestFrequency), _frameLength - 1);
        _differences = new double[LongestPeriod + 1];
        // frames have their middle at every hop: zeros stand before the first sample and after the last
        _samples = new double[samples.Length + _frameLength / 2 * 2];
        TensorPrimitives.ConvertChecked(samples, _samples.AsSpan(_frameLength / 2, samples.Length));
        Frames = _samples.Length < _frameLength ? 0 : (_samples.Length - _frameLength) / _hopLength + 1;
    }

    public int ShortestPeriod { get; }

    public int LongestPeriod { get; }

    public int Frames { get; }

    /// <summary>The values of the periods from the shortest to the longest.</summary>
    public double[] OfFrame(int index)
    {
        var frame = _samples.AsSpan(index * _hopLength, _frameLength);
        var energy = TensorPrimitives.SumOfSquares<double>(frame);
        var head = 0.0;
        for (var period = 1; period <= LongestPeriod; period++)
        {
            head += frame[period - 1] * frame[period - 1];
            var correlation = TensorPrimitives.Dot<double>(frame[..^period], frame[period..]);
            _differences[period] = 2 * (energy - correlation) - head;
        }

        var values = new double[LongestPeriod - ShortestPeriod + 1];
        var sum = 0.0;
        for (var period = 1; period <= LongestPeriod; period++)
        {
            sum += _differences[period];
            if (period >= ShortestPeriod)
                values[period - ShortestPeriod] = _differences[period] / (sum / period + Tiny);
        }

        return values;
    }

    /// <summary>Whether a value is lower than the one before and not above the one after.</summary>
    public static bool IsTrough(double[] values, int index) =>
        index == 0 ? values[0] < values[1]
        : index < values.Length - 1 ? values[index] < values[index - 1] && values[index] <= values[index + 1]
        : values[index] < values[index - 1];

    /// <summary>Where the bottom lies, between half a period before and half after, by a parabola through three values.</summary>
    public static double BottomShift(double[] values, int index)
    {
        if (index == 0 || index == values.Length - 1)
            return 0;
        var (bend, slope) = (
            values[index + 1] + values[index - 1] - 2 * values[index],
            (values[index + 1] - values[index - 1]) / 2);
        return Math.Abs(slope) >= Math.Abs(bend) ? 0 : -slope / bend;
    }
}
