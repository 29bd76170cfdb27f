using Microsoft.ML;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>An experiment that was interrupted goes on from its journal as if nothing had happened.</summary>
public sealed class JournalTests : IDisposable
{
    private const int Trials = 24;

    private readonly TemporaryFolder _folder = new();

    private string Journal => _folder["run/journal.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tpe")]
    [InlineData("cost-frugal")]
    [InlineData("forest")]
    [InlineData("cma-es")]
    [InlineData("random")]
    [InlineData("grid")]
    public async Task Interrupted_experiment_ends_with_the_same_trials(string tuner)
    {
        var whole = Create(tuner, null, interruptAt: null);
        await whole.RunAsync();

        foreach (var trial in (int[])[3, 13])
        {
            using var source = new CancellationTokenSource();
            await Create(tuner, _folder["run"], (trial, source)).RunAsync(source.Token);
        }

        var resumed = Create(tuner, _folder["run"], interruptAt: null);
        await resumed.RunAsync();
        Assert.Equal(Told(whole), Told(resumed));
        Assert.Contains(resumed.Trials, trial => trial.State == TrialState.Pruned);
        Assert.Contains(resumed.Trials, trial => trial.State == TrialState.Failed);

        var again = Create(tuner, _folder["run"], interruptAt: null); // nothing is left to do
        Assert.Equal(
            whole.Trials.Where(trial => trial.State == TrialState.Completed).Min(trial => trial.Loss), (await again.RunAsync()).Loss);
        Assert.Equal(Told(whole), Told(again));
    }

    [Fact]
    public void Half_a_line_of_a_killed_process_is_taken_away()
    {
        Create("tpe", _folder["run"], interruptAt: null).Run();
        var content = File.ReadAllText(Journal);
        var whole = Create("tpe", null, interruptAt: null);
        whole.Run();

        for (var cut = content.Length - 1; cut > content.Length - 400; cut -= 37) // a kill may come anywhere
        {
            File.WriteAllText(Journal, content[..cut]);
            var resumed = Create("tpe", _folder["run"], interruptAt: null);
            resumed.Run();
            Assert.Equal(Told(whole), Told(resumed));
            Assert.EndsWith("}\n", File.ReadAllText(Journal), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_journal_is_readable_and_has_all_digits()
    {
        var experiment = Create("tpe", _folder["run"], interruptAt: null);
        experiment.Run();

        var lines = File.ReadAllLines(Journal);
        Assert.Contains("\"tuner\":\"TpeTuner\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"parameter\":{\"x\":{", lines[1], StringComparison.Ordinal);
        var loss = experiment.Trials.First(trial => trial.State == TrialState.Completed).Loss;
        Assert.Contains(lines, line => line.Contains($"\"state\":\"Completed\",\"loss\":{loss:R},", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("\"error\":\"InvalidOperationException: odd\"", StringComparison.Ordinal));
    }

    [Fact]
    public void A_journal_of_another_experiment_or_a_damaged_one_is_refused()
    {
        Create("tpe", _folder["run"], interruptAt: null).Run();

        AssertRefused(Create("random", _folder["run"], interruptAt: null), "tuner TpeTuner");
        AssertRefused(Create("tpe", _folder["run"], interruptAt: null, seed: 2), "seed 1");
        AssertRefused(
            Create("tpe", _folder["run"], interruptAt: null).AddSearchSpace("y", new SearchSpace { ["c"] = new UniformIntOption(1, 2) }),
            "search space");
        var lines = File.ReadAllLines(Journal);
        var chosen = Array.FindLastIndex(lines, line => line.Contains("\"by\":\"tuner\"", StringComparison.Ordinal));
        var changed = lines[chosen].Replace("\"a\":", "\"a\":-", StringComparison.Ordinal).Replace("--", "", StringComparison.Ordinal);
        File.WriteAllLines(Journal, [.. lines[..chosen], changed, .. lines[(chosen + 1)..]]);
        AssertRefused(Create("tpe", _folder["run"], interruptAt: null), "other values of trial 23");
        File.WriteAllLines(Journal, [.. lines.Take(4), "{\"trial\":}", .. lines.Skip(4)]);
        AssertRefused(Create("tpe", _folder["run"], interruptAt: null), "Line 5");
        File.WriteAllText(Journal, "{\"trial\":0,\"start\":1}\n");
        AssertRefused(Create("tpe", _folder["run"], interruptAt: null), "Line 1");
    }

    [Fact]
    public void A_folder_belongs_to_one_experiment_at_a_time()
    {
        var inner = Create("tpe", _folder["run"], interruptAt: null);
        var refused = "";
        var outer = new MLContext(seed: 1).Generation.CreateExperiment().SetCheckpoint(_folder["run"]).SetMaxModelToExplore(1)
            .AddSearchSpace("x", Space).SetTrialRunner(new FunctionRunner(_ =>
            {
                refused = Assert.Throws<IOException>(inner.Run).Message;
                return 1;
            }));

        outer.Run();

        Assert.Contains("in use", refused, StringComparison.Ordinal);
    }

    private static SearchSpace Space => new()
    {
        ["kind"] = new ChoiceOption("a", "b"),
        ["a"] = new UniformDoubleOption(-1, 2),
        ["b"] = new UniformDoubleOption(1e-4, 1, logBase: true).When("kind", "b"),
    };

    private static void AssertRefused(AutoMLExperiment experiment, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(experiment.Run).Message, StringComparison.Ordinal);

    private static IEnumerable<string> Told(AutoMLExperiment experiment) => experiment.Trials.Select(trial =>
        $"{trial.TrialSettings.TrialId} {trial.TrialSettings.Parameter} {trial.State} {trial.Loss:R} {string.Join(' ', trial.Reports)}");

    /// <param name="tuner">Which.</param>
    /// <param name="folder">Of the journal.</param>
    /// <param name="interruptAt">The trial whose third report never returns, and what ends the experiment then.</param>
    /// <param name="seed">Of the context.</param>
    private static AutoMLExperiment Create(
        string tuner, string? folder, (int Trial, CancellationTokenSource Source)? interruptAt, int seed = 1)
    {
        var experiment = new MLContext(seed).Generation.CreateExperiment().AddSearchSpace("x", Space).SetMaxModelToExplore(Trials)
            .SetMonitor(new RecordingMonitor()).SetPruner(new MedianPruner(startupTrials: 3, warmupSteps: 1)).EnqueueTrial();
        if (folder is not null)
            experiment.SetCheckpoint(folder);
        experiment = tuner switch
        {
            "tpe" => experiment.SetTpeTuner(startupTrials: 5),
            "cost-frugal" => experiment.SetCostFrugalTuner(),
            "forest" => experiment.SetSmacTuner(numberOfInitialTrials: 5),
            "cma-es" => experiment.SetCmaEsTuner(),
            "random" => experiment.SetRandomSearchTuner(),
            _ => experiment.SetGridSearchTuner(5),
        };
        return experiment.SetTrialRunner(new FunctionRunner((settings, ct) =>
        {
            var x = settings.Parameter["x"];
            var loss = Math.Pow(x["a"].AsType<double>() - 0.5, 2) + (x.TryGetValue("b", out var b) ? b.AsType<double>() : 0.3);
            if (settings.TrialId % 8 == 7)
                throw new InvalidOperationException("odd");
            for (var step = 1; step <= 5; step++)
            {
                if (step == 3 && interruptAt is { } interrupt && interrupt.Trial == settings.TrialId)
                    interrupt.Source.Cancel();
                ct.ThrowIfCancellationRequested();
                if (!settings.Report(step, loss + 1.0 / step))
                    break;
            }

            return new TrialResult { Loss = loss };
        }));
    }
}
