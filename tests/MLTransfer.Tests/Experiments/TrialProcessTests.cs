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
        foreach (var trial in told.Trials.Where(trial => trial.State == TrialState.Completed))
        {
            var other = whole.Trials[trial.TrialSettings.TrialId];
            Assert.Equal(other.TrialSettings.Parameter, trial.TrialSettings.Parameter);
            Assert.Equal(other.Loss, trial.Loss, 1e-3);
            Assert.Equal((other.Tokens, 4), (trial.Tokens, trial.Reports.Count));
            Assert.True(trial.ModelSize > 10_000 && trial.PeakMemoryInMegaByte > 10);
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
            _folder.Path, "experiment", TestData.TinyModel, _folder["run"], "2", "-1", "-1", "1"))
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

    [Fact]
    public async Task Trials_in_processes_need_a_folder()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => Experiment(null).SetTrialProcesses().RunAsync());
        Assert.Contains("SetCheckpoint", exception.Message, StringComparison.Ordinal);
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
