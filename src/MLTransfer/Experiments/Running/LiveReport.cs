using System.Diagnostics;

namespace MLTransfer.Experiments.Running;

/// <summary>The files of a report, written anew while the experiment goes on, so that it can be looked at.</summary>
/// <param name="folder">Where they are; null for nowhere.</param>
/// <param name="report">Makes the report of what was found so far.</param>
internal sealed class LiveReport(string? folder, Func<ExperimentReport> report)
{
    /// <summary>Writing takes this part of the time at most.</summary>
    private const double LargestShare = 0.05;

    private readonly Stopwatch _sinceWritten = new();
    private TimeSpan _writing;

    /// <summary>Writes after a trial, unless it was written a moment ago.</summary>
    public void Refresh()
    {
        if (!_sinceWritten.IsRunning || _writing < _sinceWritten.Elapsed * LargestShare)
            Write();
    }

    /// <summary>Writes now.</summary>
    public void Write()
    {
        if (folder is null)
            return;
        var clock = Stopwatch.StartNew();
        report().Save(folder);
        _writing = clock.Elapsed;
        _sinceWritten.Restart();
    }
}
