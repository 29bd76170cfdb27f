using System.Diagnostics;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>Tells how long each step took.</summary>
internal sealed class StepClock
{
    private readonly List<double> _seconds = [];
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Of each step but the first, which has the loading of the model in it and allocates.</summary>
    public IEnumerable<double> Seconds => _seconds.Skip(1);

    public void StepDone()
    {
        var now = Stopwatch.GetTimestamp();
        _seconds.Add(Stopwatch.GetElapsedTime(_last, now).TotalSeconds);
        _last = now;
    }
}
