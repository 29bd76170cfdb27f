using System.Globalization;
using Microsoft.ML;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Trials in processes of their own.</summary>
public sealed class TrialProcessTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_crash_is_a_failed_trial_and_the_others_give_what_they_give_in_one_process()
    {
        var whole = Experiment(_folder["whole"]);
        using var expected = (IDisposable)(await whole.RunAsync()).Model!;

        var (exitCode, _, errors) = await Run(killedTrial: 1, processes: 2);
        Assert.True(exitCode == 0, errors);

        var told = Experiment(_folder["run"]); // nothing is left to do: all is in the journal
        var best = await told.RunAsync();
        using var model = (IDisposable)best.Model!;
        Assert.Equal(
            [TrialState.Completed, TrialState.Failed],
            told.Trials.OrderBy(trial => trial.TrialSettings.TrialId).Select(trial => trial.State));
        var failed = told.Trials.Single(trial => trial.State == TrialState.Failed);
        Assert.Contains("exit code", failed.Error, StringComparison.Ordinal);
        Assert.Equal([1, 2], failed.Reports.Select(report => report.Step)); // of steps 2 and 4
        Assert.True(failed is { Tokens: > 100, PeakMemoryInMegaByte: > 10 });
        foreach (var trial in told.Trials.Where(trial => trial.State == TrialState.Completed))
        {
            var other = whole.Trials[trial.TrialSettings.TrialId];
            Assert.Equal(other.TrialSettings.Parameter, trial.TrialSettings.Parameter);
            Assert.Equal(other.Loss, trial.Loss, 1e-3);
            Assert.Equal((other.Tokens, 4), (trial.Tokens, trial.Reports.Count));
            Assert.True(trial is { ModelSize: > 10_000, PeakMemoryInMegaByte: > 10, PeakCpu: > 0 and <= 1 });
        }

        Assert.Equal(best.Loss, _ml.Generation.Evaluate(best.Model!, TextExperiment.Rows(_ml, 8, 4)).Loss, 1e-3);
        Assert.Empty(Directory.EnumerateFiles(_folder["run"], "model.zip", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Trials_end_with_the_process_of_the_experiment_and_go_on_in_the_next()
    {
        var whole = Experiment(_folder["whole"]);
        using var expected = (IDisposable)(await whole.RunAsync()).Model!;
        using (var process = TestProcess.Start(
            _folder.Path, "experiment", TestData.TinyModel, _folder["run"], "2", "-1", "-1", "-1"))
        {
            while (!File.Exists(_folder["run/journal.jsonl"]) || !Journal().Contains("\"trial\":1,\"step\":2", StringComparison.Ordinal))
            {
                Assert.False(process.HasExited, await process.StandardError.ReadToEndAsync());
                await Task.Delay(20);
            }

            process.Kill(); // and not the tree
            await process.WaitForExitAsync();
        }

        var resumed = Experiment(_folder["run"]);
        using var actual = (IDisposable)(await resumed.RunAsync()).Model!;

        Assert.Equal(Told(whole), Told(resumed));
        Assert.All(resumed.Trials.Zip(whole.Trials), pair => Assert.Equal(pair.Second.Loss, pair.First.Loss, 1e-3));
    }

    [Theory]
    [InlineData("main")]
    [InlineData("async")]
    public async Task Trials_have_processes_of_their_own_where_Main_runs_the_experiment(string way)
    {
        var (program, trials) = await Processes(way);

        Assert.Equal([3, 1, 2, 6, 5], trials.Select(trial => trial.Loss)); // the second search adds what the first found
        Assert.Equal(6, trials.Select(trial => trial.Process).Append(program).Distinct().Count());
    }

    [Theory]
    [InlineData("task")]
    [InlineData("never")]
    [InlineData("other")]
    public async Task Trials_run_in_the_process_of_a_program_that_does_not_come_to_the_same_experiment_by_itself(string way)
    {
        var (program, trials) = await Processes(way);

        Assert.Equal([3, 1, 2, 6, 5], trials.Select(trial => trial.Loss));
        Assert.All(trials, trial => Assert.Equal(program, trial.Process));
    }

    [Fact]
    public async Task Processes_of_tests_are_not_started_anew()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => Experiment(null).SetTrialProcesses().RunAsync());
        Assert.Contains("a process of tests", exception.Message, StringComparison.Ordinal);
        Assert.False(AutoMLExperiment.IsTrialProcess);
    }

    private async Task<(double Program, List<(double Loss, double Process)> Trials)> Processes(string way)
    {
        var temporary = Directory.CreateDirectory(_folder["t"]).FullName;
        var (exitCode, output, errors) = await TestProcess.RunAsync(_folder.Path, "processes", way, temporary);
        Assert.True(exitCode == 0, errors);
        Assert.Empty(Directory.EnumerateDirectories(temporary, "mltransfer-*"));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray()).ToList();
        return (lines[0][0], [.. lines.Skip(1).Select(line => (line[0], line[1]))]);
    }

    private Task<(int ExitCode, string Output, string Errors)> Run(int killedTrial, int processes) => TestProcess.RunAsync(
        _folder.Path, "experiment", TestData.TinyModel, _folder["run"], "2", $"{killedTrial}", "5", $"{processes}");

    private AutoMLExperiment Experiment(string? folder) =>
        TextExperiment.Create(_ml, TestData.TinyModel, folder).SetMaxModelToExplore(2);

    private static IEnumerable<string> Told(AutoMLExperiment experiment) => experiment.Trials.Select(trial =>
        $"{trial.TrialSettings.TrialId} {trial.TrialSettings.Parameter} {trial.State} {trial.Reports.Count}");

    private string Journal()
    {
        using var file =
            new FileStream(_folder["run/journal.jsonl"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}
