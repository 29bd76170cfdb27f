using System.Text.Json;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Trials end at the steps at which the reference ends them.</summary>
public sealed class PrunerTests
{
    private static readonly JsonElement s_references = TunerReferences.Read("pruners.json");

    private static readonly double[][] s_curves =
        [.. s_references.GetProperty("curves").EnumerateArray().Select(curve => curve.Numbers())];

    public static TheoryData<int> Runs => [.. Enumerable.Range(0, s_references.GetProperty("runs").GetArrayLength())];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Trials_end_where_the_reference_ends_them(int number)
    {
        var run = s_references.GetProperty("runs")[number];
        var name = run.TryGetProperty("study_name", out var study) ? study.GetString() : null;
        var pruner = Create(run.GetProperty("pruner").GetString()!, run.GetProperty("options"), name);
        var slots = new Slots(pruner, run.GetProperty("slots").GetInt32());

        slots.Run();

        Assert.Equal(run.GetProperty("pruned_at").Numbers(), slots.PrunedAt.Select(step => step ?? double.NaN));
        Assert.Equal(run.GetProperty("end").EnumerateArray().Select(end => end.GetString()), slots.Ends.Select(state => state switch
        {
            TrialState.Completed => "complete",
            TrialState.Pruned => "pruned",
            _ => "failed",
        }));
        Assert.Equal(run.GetProperty("steps_run").GetInt32(), slots.Steps);
        if (pruner is HyperbandPruner hyperband)
        {
            Assert.Equal(run.GetProperty("allocation").Integers(), hyperband.Allocation);
            Assert.Equal(
                run.GetProperty("bracket_of_trial").Integers(), Enumerable.Range(0, s_curves.Length).Select(hyperband.BracketOf));
        }
    }

    private static IPruner Create(string kind, JsonElement options, string? study)
    {
        int Option(string name, int otherwise) => options.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;
        var (startup, warmup, interval, minimum) = (Option("n_startup_trials", 5), Option("n_warmup_steps", 0),
            Option("interval_steps", 1), Option("n_min_trials", 1));
        return kind switch
        {
            "median" => new MedianPruner(startup, warmup, interval, minimum),
            "percentile" => new PercentilePruner(options.Number("percentile"), startup, warmup, interval, minimum),
            "successive_halving" => new SuccessiveHalvingPruner(
                Option("min_resource", 1), Option("reduction_factor", 4), Option("min_early_stopping_rate", 0),
                Option("bootstrap_count", 0)),
            "hyperband" => new HyperbandPruner(
                study!, Option("min_resource", 1),
                options.GetProperty("max_resource").ValueKind == JsonValueKind.Number ? Option("max_resource", 0) : null,
                Option("reduction_factor", 3)),
            "patient" => new PatientPruner(
                options.GetProperty("wrapped").GetString() is { } wrapped
                    ? Create(wrapped, options.GetProperty("wrapped_options"), study) : null,
                Option("patience", 0), options.Number("min_delta")),
            _ => throw new ArgumentException($"Unknown pruner '{kind}'.", nameof(kind)),
        };
    }

    /// <summary>Trials that go on side by side: slot k reports k + 1 steps in each round where there are several.</summary>
    private sealed class Slots(IPruner pruner, int count)
    {
        private int _next;

        public int?[] PrunedAt { get; } = new int?[s_curves.Length];

        public TrialState[] Ends { get; } = new TrialState[s_curves.Length];

        public int Steps { get; private set; }

        public void Run()
        {
            (int Trial, int Step)[] slots = [.. Enumerable.Range(0, count).Select(_ => (_next++, 0))];
            while (slots.Any(slot => slot.Trial < s_curves.Length))
            {
                for (var k = 0; k < count; k++)
                {
                    for (var i = 0; i <= (count == 1 ? 0 : k) && slots[k].Trial < s_curves.Length; i++)
                    {
                        slots[k].Step++;
                        if (!GoesOn(slots[k].Trial, slots[k].Step))
                        {
                            slots[k] = (_next++, 0);
                            break;
                        }
                    }
                }
            }
        }

        private bool GoesOn(int trial, int step)
        {
            Steps++;
            var loss = s_curves[trial][step - 1];
            pruner.Report(trial, new TrialReport(step, loss));
            var isPruned = pruner.ShouldPrune(trial);
            if (!isPruned && step < s_curves[trial].Length)
                return true;
            PrunedAt[trial] = isPruned ? step : null;
            Ends[trial] = isPruned ? TrialState.Pruned : double.IsNaN(loss) ? TrialState.Failed : TrialState.Completed;
            pruner.End(trial, Ends[trial]);
            return false;
        }
    }
}
