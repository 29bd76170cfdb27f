using System.Diagnostics;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>Times two ways to compute the same by turns, so that whatever else the machine does delays both.</summary>
/// <param name="time">After it no further round is begun.</param>
internal sealed class Race(TimeSpan time)
{
    /// <summary>So much faster the challenger has to be to be taken; what is nearer to the other is left as it stands.</summary>
    public const double Threshold = 1.15;

    private const int MostRounds = 25;

    /// <summary>With fewer, chance would decide.</summary>
    private const int FewestRounds = 2;

    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>
    /// How many times as fast the challenger is as the incumbent: by their shortest times, which are what they take undisturbed, and by
    /// their medians, which are what they take while the machine is as busy as it is.
    /// </summary>
    /// <param name="incumbent">Is called once before it is timed, for what libtorch does but once.</param>
    /// <param name="challenger">The same.</param>
    public (double Undisturbed, double Usual) Run(Action incumbent, Action challenger)
    {
        _ = Time(incumbent);
        _ = Time(challenger);
        var (a, b) = (new List<double>(), new List<double>());
        while (a.Count < FewestRounds || a.Count < MostRounds && Stopwatch.GetElapsedTime(_start) < time)
        {
            a.Add(Time(incumbent));
            b.Add(Time(challenger));
        }

        return (a.Min() / b.Min(), Median(a) / Median(b));
    }

    private static double Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
