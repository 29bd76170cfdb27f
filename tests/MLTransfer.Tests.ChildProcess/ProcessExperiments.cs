using Microsoft.ML;
using MLTransfer.Experiments;

namespace MLTransfer.Tests.ChildProcess;

/// <summary>Two experiments without a folder, the second of which needs what the first found; trials tell which process they ran
/// in.</summary>
internal static class ProcessExperiments
{
    public static async Task<int> RunAsync(string way, string temporaryFolder)
    {
        Environment.SetEnvironmentVariable("TMPDIR", temporaryFolder);
        if (way == "async")
            await Task.Yield();
        if (way == "never" && AutoMLExperiment.IsTrialProcess)
            return 1;
        var first = await SearchAsync(way, way == "other" && AutoMLExperiment.IsTrialProcess ? [7] : [3, 1, 2], 0);
        var second = await SearchAsync(way, [5, 4], first.Trials.Min(trial => trial.Loss));
        Console.WriteLine(Environment.ProcessId);
        foreach (var trial in first.Trials.Concat(second.Trials))
            Console.WriteLine(FormattableString.Invariant($"{trial.Loss} {trial.Metric}"));
        return 0;
    }

    private static async Task<AutoMLExperiment> SearchAsync(string way, int[] numbers, double found)
    {
        var experiment = new MLContext(seed: 1).Generation.CreateExperiment()
            .AddSearchSpace("space", new SearchSpace { ["Number"] = new ChoiceOption([.. numbers.Cast<object>()]) })
            .SetGridSearchTuner().SetTrialRunner(new Runner(found));
        if (way == "task")
            await Task.Run(() => experiment.Run());
        else
            await experiment.RunAsync();
        return experiment;
    }

    private sealed class Runner(double found) : ITrialRunner
    {
        public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct) => Task.FromResult(new TrialResult
        {
            TrialSettings = settings, Loss = settings.Parameter["space"]["Number"].AsType<int>() + found, Metric = Environment.ProcessId,
        });

        public void Dispose()
        {
        }
    }
}
