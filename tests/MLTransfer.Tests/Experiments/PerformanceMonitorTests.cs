using System.Collections.Concurrent;
using Microsoft.ML;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>What trials use is looked at.</summary>
public sealed class PerformanceMonitorTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Results_and_journal_tell_the_peaks_of_memory_and_processors()
    {
        var watcher = new Watcher((_, _, _) => { });

        var result = Experiment(watcher).SetCheckpoint(_folder["run"]).Run();

        Assert.True(result.PeakMemoryInMegaByte > 90, $"{result.PeakMemoryInMegaByte} MB"); // the runner takes 100
        Assert.True(result.PeakCpu > 0.2 / Environment.ProcessorCount && result.PeakCpu <= 1, $"{result.PeakCpu}");
        Assert.True(watcher.Seen.Count > 3, $"{watcher.Seen.Count} looks");
        Assert.Equal(result.PeakCpu, watcher.Seen.Max(seen => seen.CpuUsage));
        Assert.All(watcher.Seen, seen => Assert.True(seen.MemoryUsage > 20 && seen.PeakMemoryUsage >= seen.MemoryUsage));
        var told = Experiment(watcher).SetCheckpoint(_folder["run"]);
        told.Run();
        Assert.Equal(result.PeakCpu, Assert.Single(told.Trials).PeakCpu);
        Assert.Contains(",cpu,", told.Report.ToCsv(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_monitor_ends_a_trial_and_one_that_throws_fails_it()
    {
        var ends = Experiment(new Watcher((_, _, source) => source.Cancel()));
        Assert.Throws<InvalidOperationException>(() => ends.Run());
        Assert.Contains("performance monitor", Assert.Single(ends.Trials).Error, StringComparison.Ordinal);

        var throws = Experiment(new Watcher((settings, _, _) => throw new FormatException($"of trial {settings.TrialId}")));
        Assert.Throws<InvalidOperationException>(() => throws.Run());
        Assert.Contains("of trial 0", Assert.Single(throws.Trials).Error, StringComparison.Ordinal);
    }

    private AutoMLExperiment Experiment(Watcher watcher) => _ml.Generation.CreateExperiment().SetMonitor(new RecordingMonitor())
        .AddSearchSpace("space", new SearchSpace { ["Number"] = new UniformIntOption(1, 9) }).SetTrialRunner(new BusyRunner())
        .SetPerformanceMonitor(checkIntervalInMilliseconds: 20).SetPerformanceMonitor(_ => watcher).SetMaxModelToExplore(1);

    private sealed class Watcher(Action<TrialSettings, TrialPerformanceMetrics, CancellationTokenSource> look) : IPerformanceMonitor
    {
        public ConcurrentQueue<TrialPerformanceMetrics> Seen { get; } = [];

        public void OnPerformanceMetricsUpdated(
            TrialSettings trialSettings, TrialPerformanceMetrics metrics, CancellationTokenSource trialCancellationTokenSource)
        {
            Seen.Enqueue(metrics);
            look(trialSettings, metrics, trialCancellationTokenSource);
        }
    }

    private sealed class BusyRunner : ITrialRunner
    {
        public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct)
        {
            var memory = new byte[100_000_000];
            Array.Fill(memory, (byte)1); // takes it; from here on there is time to look
            var until = DateTime.UtcNow.AddMilliseconds(400);
            while (DateTime.UtcNow < until)
            {
                ct.ThrowIfCancellationRequested();
                Array.Fill(memory, (byte)1);
            }

            return Task.FromResult(new TrialResult { TrialSettings = settings, Loss = memory[^1] });
        }

        public void Dispose()
        {
        }
    }
}
