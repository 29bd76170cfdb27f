using System.Diagnostics;

namespace MLTransfer.Experiments.Running;

/// <summary>Looks at what a process uses while a trial runs: its memory, and its share of the processors' time.</summary>
internal sealed class ResourceWatch : IDisposable
{
    private const double Megabyte = 1e6;

    private readonly Func<(long Bytes, TimeSpan Processors)> _use;
    private readonly ExperimentPlan _plan;
    private readonly RunningTrial _trial;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private readonly long _bytesBefore;
    private TimeSpan _processorsBefore, _before;
    private long _peakBytes;
    private double? _peakShare;
    private bool _isOver;

    /// <param name="plan">Has the limit of memory, and whom to tell.</param>
    /// <param name="trial">Ended where the process has more memory than the limit.</param>
    /// <param name="use">The bytes that the process has, and the time that it has had of all processors together.</param>
    public ResourceWatch(ExperimentPlan plan, RunningTrial trial, Func<(long Bytes, TimeSpan Processors)> use)
    {
        (_plan, _trial, _use) = (plan, trial, use);
        (_bytesBefore, _processorsBefore) = use();
        _stop.Token.Register(() => trial.End(TrialState.Failed, "It was ended by the performance monitor."));
        _timer = new Timer(_ => Look(), null, plan.CheckInterval, plan.CheckInterval);
    }

    /// <summary>Looks a last time, and tells the trial what was seen.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Look();
        lock (_lock)
        {
            _isOver = true;
            _trial.Peaks = (Math.Max(0, _peakBytes - _bytesBefore) / Megabyte, _peakShare);
            _stop.Dispose();
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_isOver)
                return; // the timer's thread came late
            var ((bytes, processors), now) = (_use(), _clock.Elapsed);
            var peakBefore = _peakBytes;
            _peakBytes = Math.Max(_peakBytes, bytes);
            var span = now - _before;
            if (span >= _plan.CheckInterval / 2 || _peakShare is null) // the processors' clocks are too coarse for less
            {
                var share = Math.Clamp((processors - _processorsBefore) / (span * Environment.ProcessorCount), 0, 1);
                (_processorsBefore, _before) = (processors, now);
                _peakShare = Math.Max(_peakShare ?? 0, share);
                Tell(bytes, share);
            }

            if (_plan.Megabytes is { } limit && bytes / Megabyte > limit && peakBefore / Megabyte <= limit)
            {
                _trial.End(TrialState.Failed, FormattableString.Invariant(
                    $"The process has {bytes / Megabyte:0} MB, more than the limit of {limit:0} MB."));
            }
        }
    }

    private void Tell(long bytes, double share)
    {
        try
        {
            _plan.PerformanceMonitor?.OnPerformanceMetricsUpdated(
                _trial.Settings,
                new TrialPerformanceMetrics
                {
                    MemoryUsage = bytes / Megabyte, PeakMemoryUsage = _peakBytes / Megabyte, CpuUsage = share, PeakCpuUsage = _peakShare,
                },
                _stop);
        }
        catch (Exception exception) // on a thread of the timer nobody else would take it
        {
            _trial.End(TrialState.Failed, $"The performance monitor failed. {exception.GetType().Name}: {exception.Message}");
        }
    }
}
