using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Tuners find as good values as the reference's, over many seeds.</summary>
public sealed class TunerTests
{
    private const int Trials = 50;

    public static TheoryData<string> Objectives => [.. Objective.All.Select(objective => objective.Name)];

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Objectives_are_those_of_the_reference(string name)
    {
        var checks = TunerReferences.Read("objectives.json").GetProperty("objectives").GetProperty(name).GetProperty("check");
        var objective = Objective.All.Single(objective => objective.Name == name);
        Assert.Equal(10, checks.GetArrayLength());
        foreach (var check in checks.EnumerateArray())
        {
            Assert.Equal(
                check.Number("y"), objective.Function(Parameter.FromJson(check.GetProperty("x"))), name == "surface" ? 1e-14 : 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Parzen_estimators_are_no_worse_than_the_reference(string name) =>
        AssertNoWorse(name, name == "mixed" ? "tpe_group" : "tpe", (space, seed) => new TpeTuner(space, seed));

    [Theory]
    [MemberData(nameof(Objectives))]
    public void The_evolution_strategy_is_no_worse_than_the_reference(string name) =>
        AssertNoWorse(name, "cmaes", (space, seed) => new CmaEsTuner(space, seed));

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Random_search_is_the_reference(string name)
    {
        var (mine, reference) = Compare(name, "random", (space, seed) => new RandomSearchTuner(space, seed), seeds: 100);
        Assert.InRange(Distance(mine, reference), -4, 4);
    }

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Cost_frugal_search_is_better_than_random(string name) =>
        AssertBetterThanRandom(name, (space, seed) => new CostFrugalTuner(space, seed), seeds: 100);

    [Theory]
    [MemberData(nameof(Objectives))]
    public void The_forest_is_better_than_random(string name) =>
        AssertBetterThanRandom(name, (space, seed) => new SmacTuner(space, seed), seeds: 16);

    [Fact]
    public void Cost_frugal_search_begins_with_the_defaults_and_anew_where_steps_have_become_short()
    {
        var space = new SearchSpace { ["x"] = new UniformDoubleOption(0, 1, defaultValue: 0.2) };
        static double TwoWells(Parameter p) =>
            Math.Min(1 + Math.Pow(p["x"].AsType<double>() - 0.21, 2), 10 * Math.Abs(p["x"].AsType<double>() - 0.9));
        var objective = new Objective("two wells", space, TwoWells);

        Assert.Equal(0.2, new CostFrugalTuner(space).Propose(new TrialSettings())["x"].AsType<double>(), 1e-12);
        Assert.InRange(objective.BestOf(new CostFrugalTuner(space, seed: 1), 6), 1, 1.001); // the well of the default
        Assert.InRange(objective.BestOf(new CostFrugalTuner(space, seed: 1), 400), 0, 0.05); // the other one
    }

    [Theory]
    [MemberData(nameof(Objectives))]
    public void A_seed_decides_all_that_a_tuner_chooses(string name)
    {
        var objective = Objective.All.Single(objective => objective.Name == name);
        Func<long, ITuner>[] tuners =
        [
            seed => new TpeTuner(objective.Space, seed), seed => new CmaEsTuner(objective.Space, seed),
            seed => new CostFrugalTuner(objective.Space, seed), seed => new SmacTuner(objective.Space, seed),
            seed => new RandomSearchTuner(objective.Space, seed),
        ];
        foreach (var tuner in tuners)
        {
            Assert.Equal(objective.BestOf(tuner(5), 15), objective.BestOf(tuner(5), 15));
            Assert.NotEqual(objective.BestOf(tuner(5), 15), objective.BestOf(tuner(6), 15));
        }
    }

    private static void AssertNoWorse(string name, string method, Func<SearchSpace, long, ITuner> create)
    {
        var (mine, reference) = Compare(name, method, create, seeds: 100);
        Assert.True(Distance(mine, reference) <= 2, $"{mine}, the reference {reference}");
    }

    private static void AssertBetterThanRandom(string name, Func<SearchSpace, long, ITuner> create, int seeds)
    {
        var (mine, random) = Compare(name, "random", create, seeds);
        Assert.True(Distance(mine, random) < -2, $"{mine}, at random {random}");
    }

    private static double Distance((double Median, double Error) mine, (double Median, double Error) reference) =>
        (mine.Median - reference.Median) / Math.Sqrt(mine.Error * mine.Error + reference.Error * reference.Error);

    private static ((double Median, double Error) Mine, (double Median, double Error) Reference) Compare(
        string name, string method, Func<SearchSpace, long, ITuner> create, int seeds)
    {
        var objective = Objective.All.Single(objective => objective.Name == name);
        var reference = TunerReferences.Read("results.json").GetProperty("results").GetProperty(name).GetProperty(method)
            .GetProperty("after").GetProperty($"{Trials}");
        var best = Enumerable.Range(0, seeds).Select(seed => objective.BestOf(create(objective.Space, seed), Trials)).ToArray();
        return (Medians.WithError(best), (reference.Number("median"), reference.Number("median_standard_error")));
    }
}
