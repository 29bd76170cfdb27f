using Microsoft.ML;
using MLTransfer.Experiments;
using MLTransfer.Torch.Training;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Trials one after another, however each ends.</summary>
public sealed class ExperimentTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly RecordingMonitor _monitor = new();

    [Fact]
    public void The_best_of_all_trials_is_returned_and_the_monitor_is_told_of_each()
    {
        var runner = new FunctionRunner(Loss);
        var experiment = Create().SetTrialRunner(runner).SetMaxModelToExplore(20);

        var best = experiment.Run();

        Assert.Equal(20, experiment.Trials.Count);
        Assert.Equal(experiment.Trials.Min(trial => trial.Loss), best.Loss);
        Assert.Equal(best.Loss, Loss(best.TrialSettings));
        Assert.Equal(Enumerable.Range(0, 20), experiment.Trials.Select(trial => trial.TrialSettings.TrialId));
        Assert.Equal(["running 0", "Completed 0", "best 0", "running 1"], _monitor.Events.Take(4));
        Assert.Equal(
            $"best {best.TrialSettings.TrialId}", _monitor.Events.Last(entry => entry.StartsWith("best", StringComparison.Ordinal)));
        Assert.True(runner.IsDisposed);
        Assert.All(experiment.Trials, trial => Assert.True(trial.TrialSettings.EndedAtUtc >= trial.TrialSettings.StartedAtUtc));
    }

    [Fact]
    public void Trials_that_fail_are_recorded_and_the_others_go_on()
    {
        var experiment = Create().SetMaxModelToExplore(7).SetTrialRunner(new FunctionRunner(settings => settings.TrialId switch
        {
            0 => throw new TrainingDivergedException(3, double.NaN),
            1 => double.NaN,
            2 => throw new InsufficientMemoryException("too much"),
            3 => double.PositiveInfinity,
            4 => throw new OperationCanceledException("by itself"),
            _ => Loss(settings),
        }));

        var best = experiment.Run();

        Assert.Equal(Enumerable.Repeat(TrialState.Failed, 5).Concat(Enumerable.Repeat(TrialState.Completed, 2)), States(experiment));
        Assert.Contains("at step 3", experiment.Trials[0].Error, StringComparison.Ordinal);
        Assert.Contains("InsufficientMemoryException: too much", experiment.Trials[2].Error, StringComparison.Ordinal);
        Assert.All(experiment.Trials.Take(5), trial => Assert.False(double.IsFinite(trial.Loss)));
        Assert.InRange(best.TrialSettings.TrialId, 5, 6);
        Assert.Contains("failed 0 TrainingDivergedException", _monitor.Events);
        var all = Create().SetMaxModelToExplore(2).SetTrialRunner(new FunctionRunner(_ => throw new IOException("no disk")));
        Assert.Contains("no disk", Assert.Throws<InvalidOperationException>(all.Run).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trial_whose_reports_are_worse_than_those_of_others_is_ended()
    {
        var steps = new List<int>();
        var experiment = Create().SetMaxModelToExplore(4).SetPruner(new MedianPruner(startupTrials: 2)).SetTrialRunner(
            new FunctionRunner((settings, ct) =>
            {
                var loss = settings.TrialId is 0 or 1 or 3 ? 1.0 - 0.1 * settings.TrialId : 5;
                var step = 0;
                while (step < 6 && settings.Report(++step, loss / step))
                    ct.ThrowIfCancellationRequested();
                steps.Add(step);
                return new TrialResult { Loss = loss / 6 };
            }));

        experiment.Run();

        Assert.Equal([TrialState.Completed, TrialState.Completed, TrialState.Pruned, TrialState.Completed], States(experiment));
        Assert.Equal([6, 6, 1, 6], steps);
        Assert.Equal((5, new TrialReport(1, 5)), (experiment.Trials[2].Loss, Assert.Single(experiment.Trials[2].Reports)));
        Assert.Equal(6, experiment.Trials[3].Reports.Count);
    }

    [Fact]
    public void The_current_trial_is_skipped_and_the_experiment_stops_after_the_current_one()
    {
        AutoMLExperiment? experiment = null;
        experiment = Create().SetMaxModelToExplore(50).SetTrialRunner(new FunctionRunner((settings, ct) =>
        {
            if (settings.TrialId == 1)
            {
                experiment!.SkipCurrentTrial();
                ct.ThrowIfCancellationRequested();
            }

            if (settings.TrialId == 3)
                experiment!.StopAfterCurrent();
            return new TrialResult { Loss = Loss(settings) };
        }));

        experiment.Run();

        Assert.Equal([TrialState.Completed, TrialState.Skipped, TrialState.Completed, TrialState.Completed], States(experiment));
    }

    [Fact]
    public async Task Time_ends_the_trial_that_is_under_way_and_so_does_a_token()
    {
        static TrialResult Wait(TrialSettings settings, CancellationToken ct)
        {
            if (settings.TrialId > 1)
                Task.Delay(Timeout.Infinite, ct).Wait(ct);
            return new TrialResult { Loss = settings.TrialId };
        }

        var experiment = Create().SetTrainingTimeInSeconds(1).SetTrialRunner(new FunctionRunner(Wait));
        Assert.Equal(0, (await experiment.RunAsync()).Loss);
        Assert.Equal(2, experiment.Trials.Count);

        using var source = new CancellationTokenSource();
        source.CancelAfter(300);
        Assert.Equal(0, (await Create().SetMaxModelToExplore(9).SetTrialRunner(new FunctionRunner(Wait)).RunAsync(source.Token)).Loss);

        static TrialResult Never(TrialSettings settings, CancellationToken ct)
        {
            Task.Delay(Timeout.Infinite, ct).Wait(ct);
            return new TrialResult();
        }

        await Assert.ThrowsAsync<TimeoutException>(
            () => Create().SetTrainingTimeInSeconds(1).SetTrialRunner(new FunctionRunner(Never)).RunAsync());
        await Assert.ThrowsAsync<OperationCanceledException>(() =>
            Create().SetMaxModelToExplore(9).SetTrialRunner(new FunctionRunner(Never))
            .RunAsync(new CancellationToken(canceled: true)));
    }

    [Fact]
    public void A_trial_with_more_memory_than_is_allowed_fails()
    {
        var experiment = Create().SetMaxModelToExplore(1).SetMaximumMemoryUsageInMegaByte(1).SetTrialRunner(
            new FunctionRunner((_, ct) =>
            {
                Task.Delay(TimeSpan.FromSeconds(30), ct).Wait(ct);
                return new TrialResult { Loss = 1 };
            }));

        Assert.Contains("limit of 1 MB", Assert.Throws<InvalidOperationException>(experiment.Run).Message, StringComparison.Ordinal);
        Assert.Equal([TrialState.Failed], States(experiment));
    }

    [Fact]
    public void Given_values_are_tried_first_and_a_grid_ends_by_itself()
    {
        var space = new SearchSpace { ["kind"] = new ChoiceOption("a", "b", "c"), ["size"] = new UniformIntOption(1, 2) };
        var experiment = _ml.Generation.CreateExperiment().SetMonitor(_monitor).AddSearchSpace("mine", space).SetGridSearchTuner()
            .SetTrialRunner(new FunctionRunner(settings => settings.Parameter["mine"]["size"].AsType<int>()));
        var given = Parameter.FromObject(new { mine = new { kind = "c", size = 2 } });

        experiment.EnqueueTrial(given).EnqueueTrial().Run();

        Assert.Equal(2 + 6, experiment.Trials.Count);
        Assert.Equal(given, experiment.Trials[0].TrialSettings.Parameter);
        Assert.Equal("a", experiment.Trials[1].TrialSettings.Parameter["mine"]["kind"].AsType<string>());
        Assert.Throws<ArgumentException>(() => experiment.EnqueueTrial(Parameter.FromObject(new { mine = new { kind = "d", size = 2 } })));
    }

    [Fact]
    public void Tuners_are_set_by_method_by_class_by_factory_and_by_instance()
    {
        AutoMLExperiment Make() => Create().SetMaxModelToExplore(14).SetTrialRunner(new FunctionRunner(Loss));
        Func<AutoMLExperiment, AutoMLExperiment>[] ways =
        [
            e => e.SetTpeTuner(), e => e.SetTuner<TpeTuner>(), e => e.SetTuner(new TpeTuner(e.SearchSpace, seed: 1)),
            e => e.SetTuner(services => new TpeTuner(
                (SearchSpace)services.GetService(typeof(SearchSpace))!, (long)services.GetService(typeof(long))!)),
            e => e,
        ];
        var losses = ways.Select(way => way(Make()).Run().Loss).Distinct();
        Assert.Single(losses);

        Func<AutoMLExperiment, AutoMLExperiment>[] others =
        [
            e => e.SetRandomSearchTuner(), e => e.SetCostFrugalTuner(), e => e.SetSmacTuner(), e => e.SetCmaEsTuner(),
            e => e.SetRandomSearchTuner(seed: 7),
        ];
        Assert.Equal(others.Length, others.Select(way => way(Make()).Run().Loss).Distinct().Count());
    }

    [Fact]
    public void What_is_missing_is_said_before_a_trial_begins()
    {
        var runner = new FunctionRunner(Loss);
        AssertRefused(_ml.Generation.CreateExperiment().SetTrialRunner(runner).SetMaxModelToExplore(1), "AddSearchSpace");
        AssertRefused(Create().SetMaxModelToExplore(1), "SetTrialRunner");
        AssertRefused(Create().SetTrialRunner(runner), "SetMaxModelToExplore");
        AssertRefused(Create().SetTrialRunner(runner).SetMaxModelToExplore(1).SetTuner<NeedsText>(), "NeedsText");
        Assert.Throws<ArgumentOutOfRangeException>(() => Create().SetMaxModelToExplore(0));
        Assert.Empty(_monitor.Events);
    }

    private static void AssertRefused(AutoMLExperiment experiment, string remedy) =>
        Assert.Contains(remedy, Assert.Throws<InvalidOperationException>(experiment.Run).Message, StringComparison.Ordinal);

    private static IEnumerable<TrialState> States(AutoMLExperiment experiment) => experiment.Trials.Select(trial => trial.State);

    private AutoMLExperiment Create() => _ml.Generation.CreateExperiment().SetMonitor(_monitor).AddSearchSpace("x", new SearchSpace
    {
        ["a"] = new UniformDoubleOption(-1, 2), ["b"] = new UniformDoubleOption(1e-4, 1, logBase: true),
    });

    private static double Loss(TrialSettings settings)
    {
        var (a, b) = (settings.Parameter["x"]["a"].AsType<double>(), Math.Log10(settings.Parameter["x"]["b"].AsType<double>()));
        return (a - 0.5) * (a - 0.5) + (b + 2) * (b + 2);
    }

    private sealed class NeedsText(string text) : ITuner
    {
        public Parameter Propose(TrialSettings settings) => Parameter.FromString(text);

        public void Update(TrialResult result)
        {
        }
    }
}
