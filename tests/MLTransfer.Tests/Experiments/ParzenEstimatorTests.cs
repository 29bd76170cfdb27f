using System.Text.Json;
using MLTransfer.Experiments;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Experiments.Tuners;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Splits, weights, kernels and densities are those of the reference, to 1e-9.</summary>
public sealed class ParzenEstimatorTests
{
    private const double Tolerance = 1e-9;

    public static TheoryData<string> Cases =>
        [.. TunerReferences.Read("tpe.json").GetProperty("cases").EnumerateArray().Select(entry => entry.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Trials_are_split_as_the_reference_splits_them(string name)
    {
        var study = new Study(name);
        var (good, others) = ParzenSplit.Of(study.Trials, study.Settings);
        Assert.Equal(study.Case.GetProperty("below").Integers(), good.Select(trial => study.Trials.IndexOf(trial)));
        Assert.Equal(study.Case.GetProperty("above").Integers(), others.Select(trial => study.Trials.IndexOf(trial)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Densities_of_single_and_joint_parameters_are_those_of_the_reference(string name)
    {
        var study = new Study(name);
        for (var i = 0; i < study.Space.Count; i++)
        {
            var single = study.Case.GetProperty("single").GetProperty(study.Space[i].Name);
            AssertDensities(study, [i], single);
            AssertKernels(study.Estimate([i], good: true), single.GetProperty("l"));
            AssertKernels(study.Estimate([i], good: false), single.GetProperty("g"));
            if (single.TryGetProperty("l_kernel_quantiles", out var quantiles))
                AssertQuantiles(study, i, quantiles);
        }

        if (study.Case.TryGetProperty("joint", out var joint))
        {
            int[] all = [.. Enumerable.Range(0, study.Space.Count)];
            AssertDensities(study, all, joint);
            AssertNumbers(joint.GetProperty("l_weights").Numbers(), study.Estimate(all, good: true).Weights);
            AssertNumbers(joint.GetProperty("g_weights").Numbers(), study.Estimate(all, good: false).Weights);
        }
    }

    [Theory]
    [InlineData(-37.5, 4.60535300958196e-308)]
    [InlineData(-8, 6.22096057427178e-16)]
    [InlineData(-1, 0.158655253931457)]
    [InlineData(0.3, 0.617911422188953)]
    [InlineData(5, 0.999999713348428)]
    public void The_normal_distribution_has_all_digits(double x, double below)
    {
        Assert.Equal(1, NormalDistribution.Upper(-x) / below, 1e-13);
        Assert.Equal(x, NormalDistribution.Quantile(below, NormalDistribution.Upper(x)), Math.Abs(x) * 1e-13);
    }

    private static void AssertDensities(Study study, int[] dimensions, JsonElement expected)
    {
        var (good, others) = (study.Estimate(dimensions, good: true), study.Estimate(dimensions, good: false));
        double[][] candidates =
        [
            .. study.Case.GetProperty("candidates").EnumerateArray().Select(candidate => dimensions.Select(i =>
                study.Space[i].Option.FromParameter(Parameter.FromJson(candidate.GetProperty(study.Space[i].Name)))).ToArray()),
        ];
        double[] logGood = [.. candidates.Select(candidate => good.LogDensity(candidate))];
        double[] logOthers = [.. candidates.Select(candidate => others.LogDensity(candidate))];
        AssertNumbers(expected.GetProperty("log_l").Numbers(), logGood);
        AssertNumbers(expected.GetProperty("log_g").Numbers(), logOthers);
        Assert.Equal(
            expected.GetProperty("best").GetInt32(), Enumerable.Range(0, candidates.Length).MaxBy(i => logGood[i] - logOthers[i]));
    }

    private static void AssertKernels(ParzenEstimator estimator, JsonElement expected)
    {
        AssertNumbers(expected.GetProperty("weights").Numbers(), estimator.Weights);
        if (estimator.Columns[0] is NumericKernels numeric)
        {
            AssertNumbers(expected.GetProperty("centre").Numbers(), numeric.Centres);
            AssertNumbers(expected.GetProperty("bandwidth").Numbers(), numeric.Bandwidths);
            return;
        }

        var kernels = (CategoricalKernels)estimator.Columns[0];
        foreach (var (kernel, probabilities) in expected.GetProperty("probabilities").EnumerateArray().Index())
        {
            AssertNumbers(
                probabilities.Numbers(),
                [.. Enumerable.Range(0, probabilities.GetArrayLength()).Select(choice => kernels.Probability(kernel, choice))]);
        }
    }

    private static void AssertQuantiles(Study study, int dimension, JsonElement expected)
    {
        var kernels = (NumericKernels)study.Estimate([dimension], good: true).Columns[0];
        var shares = expected.GetProperty("q").Numbers();
        foreach (var (kernel, values) in expected.GetProperty("x").EnumerateArray().Index())
        {
            double[] mine = [.. shares.Select(share => kernels.Quantile(kernel, share))];
            AssertNumbers(values.Numbers(), study.Space[dimension].Domain.IsLogarithmic ? [.. mine.Select(Math.Exp)] : mine);
        }
    }

    private static void AssertNumbers(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (mine, theirs) in actual.Zip(expected))
            Assert.Equal(theirs, mine, Tolerance * Math.Max(1, Math.Abs(theirs)));
    }

    private sealed class Study
    {
        public Study(string name)
        {
            Case = TunerReferences.Read("tpe.json").GetProperty("cases").EnumerateArray()
                .Single(entry => entry.GetProperty("name").GetString() == name);
            Space = new FlatSpace(TunerReferences.SpaceOf(Case.GetProperty("parameters")));
            var settings = Case.GetProperty("settings");
            Settings = new ParzenSettings
            {
                PriorWeight = settings.Number("prior_weight"),
                ClipsNarrow = settings.GetProperty("consider_magic_clip").GetBoolean(),
                CountsEnds = settings.GetProperty("consider_endpoints").GetBoolean(),
            };
            if (settings.GetProperty("gamma").GetString() == "min(ceil(0.25 sqrt(n)), 25)")
                Settings = Settings with { Good = count => Math.Min((int)Math.Ceiling(0.25 * Math.Sqrt(count)), 25) };
            var sign = Case.GetProperty("direction").GetString() == "minimize" ? 1 : -1;
            Trials = [.. Case.GetProperty("trials").EnumerateArray().Select(trial => Read(trial, sign))];
        }

        public JsonElement Case { get; }

        public FlatSpace Space { get; }

        public ParzenSettings Settings { get; }

        public List<TunedTrial> Trials { get; }

        public ParzenEstimator Estimate(int[] dimensions, bool good)
        {
            var split = ParzenSplit.Of(Trials, Settings);
            var trials = (good ? split.Good : split.Others)
                .Where(trial => dimensions.All(i => !double.IsNaN(trial.Point[i]))).ToList();
            return new ParzenEstimator(
                [.. dimensions.Select(i => Space[i].Domain)],
                [.. dimensions.Select(i => trials.Select(trial => trial.Point[i]).ToArray())], Settings);
        }

        private TunedTrial Read(JsonElement trial, int sign)
        {
            var result = new TunedTrial(Space.FromParameter(Parameter.FromJson(trial.GetProperty("x"))))
            {
                State = trial.GetProperty("state").GetString() switch
                {
                    "complete" => TrialState.Completed,
                    "pruned" => TrialState.Pruned,
                    _ => TrialState.Running,
                },
            };
            if (trial.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Number)
                result.Loss = sign * value.GetDouble();
            if (trial.TryGetProperty("reports", out var reports))
                result.LastStep = reports.EnumerateObject().Select(report => int.Parse(report.Name)).DefaultIfEmpty().Max();
            return result;
        }
    }
}
