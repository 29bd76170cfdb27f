using System.Text.Json;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Fronts, volumes and importances beside the reference's.</summary>
public sealed class ResultTests
{
    public static TheoryData<int> Fronts => [.. Enumerable.Range(0, 4)];

    [Theory]
    [MemberData(nameof(Fronts))]
    public void Ranks_front_and_hypervolume_are_those_of_the_reference(int number)
    {
        var expected = TunerReferences.Read("pareto.json").GetProperty("cases")[number];
        double[] signs =
        [
            .. expected.GetProperty("directions").EnumerateArray().Select(direction => direction.GetString() == "minimize" ? 1.0 : -1),
        ];
        double[] Signed(JsonElement point) => [.. point.Numbers().Zip(signs, (value, sign) => value * sign)];
        double[][] points = [.. expected.GetProperty("points").EnumerateArray().Select(Signed)];

        Assert.Equal(expected.GetProperty("rank").Integers(), ParetoFront.Ranks(points));
        Assert.Equal(expected.GetProperty("front").Integers(), ParetoFront.Of(points));
        Assert.Equal(
            expected.Number("hypervolume"), ParetoFront.Hypervolume(points, Signed(expected.GetProperty("reference_point"))), 1e-9);
    }

    [Fact]
    public void Equal_points_are_both_on_the_front_and_points_of_other_sizes_are_refused()
    {
        Assert.Equal([0, 0, 1], ParetoFront.Ranks([[1, 2], [1, 2], [1, 3]]));
        Assert.Equal(2, ParetoFront.Hypervolume([[1, 2], [1, 2], [9, 0]], [2, 4]));
        Assert.Throws<ArgumentException>(() => ParetoFront.Ranks([[1, 2], [1]]));
        Assert.Throws<ArgumentException>(() => ParetoFront.Hypervolume([[1, double.NaN]], [2, 4]));
        Assert.Empty(ParetoFront.Ranks([]));
    }

    [Theory]
    [InlineData("additive", 3)]
    [InlineData("surface", 1)]
    public void Importances_are_near_the_truth(string name, int settled)
    {
        var study = TunerReferences.Read("importance.json").GetProperty("studies").GetProperty(name);
        var results = study.GetProperty("trials").EnumerateArray().Select(trial => new TrialResult
        {
            Loss = trial.Number("y"), TrialSettings = new() { Parameter = Parameter.FromJson(trial.GetProperty("x")) },
        }).ToList();
        var exact = study.GetProperty("exact_main_effects");

        var importances = ParameterImportance.Of(TunerReferences.SpaceOf(study.GetProperty("parameters")), results);

        var expected = exact.EnumerateObject().OrderByDescending(entry => entry.Value.GetDouble()).Take(settled).ToList();
        Assert.Equal(expected.Select(entry => entry.Name), importances.Take(settled).Select(entry => entry.Key));
        Assert.All(expected.Zip(importances), pair => Assert.Equal(pair.First.Value.GetDouble(), pair.Second.Value, 0.08));
        Assert.All(importances.Skip(settled), entry => Assert.Equal(exact.Number(entry.Key), entry.Value, 0.05));
        // The largest error of what is settled is below that of the reference's forest.
        var reference = study.GetProperty("fanova");
        Assert.True(
            expected.Zip(importances).Max(pair => Math.Abs(pair.First.Value.GetDouble() - pair.Second.Value))
            < expected.Max(entry => Math.Abs(entry.Value.GetDouble() - reference.GetProperty(entry.Name).Number("mean"))));
    }

    [Fact]
    public void Importances_of_options_of_a_condition_are_told_by_name()
    {
        var objective = Objective.All.Single(objective => objective.Name == "mixed");
        var tuner = new RandomSearchTuner(objective.Space, seed: 1);
        var results = Enumerable.Range(0, 60).Select(trial =>
        {
            var settings = new TrialSettings { TrialId = trial };
            settings.Parameter = tuner.Propose(settings);
            return new TrialResult { TrialSettings = settings, Loss = objective.Function(settings.Parameter) };
        }).ToList();
        results.Add(new TrialResult { State = TrialState.Failed, Loss = double.NaN });

        var importances = ParameterImportance.Of(objective.Space, results);

        Assert.Equal(objective.Space.Keys.Order(), importances.Select(entry => entry.Key).Order());
        Assert.All(importances, entry => Assert.InRange(entry.Value, 0, 1));
        Assert.Contains("layers", importances.Take(4).Select(entry => entry.Key));
        Assert.Empty(ParameterImportance.Of(objective.Space, results.Take(3)));
    }
}
