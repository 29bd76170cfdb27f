using MLTransfer.Experiments;
using MLTransfer.Torch.Training;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Spaces made of attributes and from scratch, in the shape of ML.NET's.</summary>
public sealed class SearchSpaceTests
{
    [Fact]
    public void Attributes_make_the_space_that_options_make()
    {
        var attributed = new SearchSpace<Recipe>();
        var scratch = new SearchSpace
        {
            ["Rate"] = new UniformDoubleOption(1e-5, 1e-2, logBase: true, defaultValue: 1e-3),
            ["Epochs"] = new UniformIntOption(1, 4),
            ["Dropout"] = new UniformDoubleOption(0, 0.5, stepSize: 0.1),
            ["Schedule"] = new ChoiceOption("Linear", "Cosine"),
            ["UsesAdapters"] = new ChoiceOption(true, false),
            ["Adapters"] = new SearchSpace
            {
                ["Rank"] = new ChoiceOption([2, 4, 8], 4),
                ["Alpha"] = new UniformSingleOption(1, 32, logBase: true),
            }.When("UsesAdapters", true),
        };

        Assert.Equal(scratch.Keys, attributed.Keys);
        Assert.Equal(7, attributed.FeatureSpaceDim);
        Assert.Equal(scratch.Default, attributed.Default);
        Assert.Equal(scratch.Step, attributed.Step);
        Assert.Equal([null, 4, 6, 2, 2, 3, null], attributed.Step);
        double[] place = [0.25, 0.99, 0.5, 0.6, 0.1, 0.9, 0.5];
        var parameter = scratch.SampleFromFeatureSpace(place);
        var recipe = attributed.SampleFromFeatureSpace(place);
        Assert.Equal(1e-5 * Math.Pow(1e3, 0.25), parameter["Rate"].AsType<double>(), 1e-12);
        Assert.Equal((parameter["Rate"].AsType<double>(), 4, LearningRateSchedule.Cosine), (recipe.Rate, recipe.Epochs, recipe.Schedule));
        Assert.Equal((8, (float)Math.Sqrt(32)), (recipe.Adapters.Rank, recipe.Adapters.Alpha));
        Assert.Equal(parameter, scratch.SampleFromFeatureSpace(scratch.MappingToFeatureSpace(parameter)));
    }

    [Fact]
    public void What_a_condition_excludes_is_left_out_and_keeps_its_default()
    {
        var space = new SearchSpace<Recipe>(new Recipe { Rate = 2e-4, Name = "mine", Adapters = new() { Rank = 8, Alpha = 2 } });
        double[] place = [0.25, 0.99, 0.5, 0.6, 0.9, 0.1, 0.5];

        var parameter = ((SearchSpace)space).SampleFromFeatureSpace(place);
        var recipe = space.SampleFromFeatureSpace(place);

        Assert.False(parameter["UsesAdapters"].AsType<bool>());
        Assert.False(parameter.ContainsKey("Adapters"));
        Assert.Contains("UsesAdapters", Assert.Throws<KeyNotFoundException>(() => parameter["Adapters"]).Message, StringComparison.Ordinal);
        Assert.Equal((8, 2f, "mine"), (recipe.Adapters.Rank, recipe.Adapters.Alpha, recipe.Name));
        Assert.Equal(2e-4, space.SampleFromFeatureSpace(space.Default).Rate, 1e-12);
    }

    [Fact]
    public void A_default_option_is_not_changed_by_what_is_chosen()
    {
        var standard = new Recipe { UsesAdapters = true };
        var space = new SearchSpace<Recipe>(standard);
        double[] place = [0.5, 0.5, 0.5, 0.5, 0.1, 0.9, 0.5];

        var chosen = space.SampleFromFeatureSpace(place);

        Assert.Equal((8, 4), (chosen.Adapters.Rank, standard.Adapters.Rank));
    }

    [Fact]
    public void A_parameter_is_written_with_all_digits_and_read_back()
    {
        var parameter = Parameter.CreateNestedParameter(
            KeyValuePair.Create("rate", Parameter.FromDouble(0.1 + 0.2)), KeyValuePair.Create("kind", Parameter.FromEnum(RowPacking.None)),
            KeyValuePair.Create("list", Parameter.FromIEnumerable([1, 2])), KeyValuePair.Create("flag", Parameter.FromBool(true)),
            KeyValuePair.Create("inner", Parameter.FromObject(new Adapters { Rank = 2, Alpha = 1 })));

        var text = System.Text.Json.JsonSerializer.Serialize(parameter);
        var read = System.Text.Json.JsonSerializer.Deserialize<Parameter>(text)!;

        Assert.Contains("0.30000000000000004", text, StringComparison.Ordinal);
        Assert.Equal(parameter, read);
        Assert.Equal(0.1 + 0.2, read["rate"].AsType<double>());
        Assert.Equal(RowPacking.None, read["kind"].AsType<RowPacking>());
        Assert.Equal([1, 2], read["list"].AsType<int[]>());
        Assert.Equal((2, ParameterType.Object), (read["inner"].AsType<Adapters>().Rank, read["inner"].ParameterType));
        Assert.Throws<InvalidCastException>(() => read["kind"].AsType<int>());
        Assert.Throws<InvalidCastException>(() => read["rate"].AsType<int>());
    }

    [Fact]
    public void A_grid_has_every_choice_and_passes_over_what_means_nothing()
    {
        var space = new SearchSpace
        {
            ["kind"] = new ChoiceOption("a", "b"),
            ["rate"] = new UniformDoubleOption(1e-4, 1e-2, logBase: true).When("kind", "a"),
            ["size"] = new UniformIntOption(1, 2),
        };
        var tuner = new GridSearchTuner(space, step: 3);

        var proposed = new List<string>();
        while (tuner.Propose(new TrialSettings { TrialId = proposed.Count }) is { } parameter)
            proposed.Add(parameter.ToString());

        Assert.Equal(3 * 2 + 2, proposed.Distinct().Count());
        Assert.Equal(proposed.Count, proposed.Distinct().Count());
        Assert.Equal("""{"kind":"a","rate":0.0001,"size":1}""", proposed[0]);
        Assert.Equal("""{"kind":"b","size":2}""", proposed[^1]);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        AssertRefused<BadRange>("BadRange.Name");
        AssertRefused<BadDefault>("BadDefault.Rate");
        AssertRefused<BadChoice>("BadChoice.Size");
        Assert.Throws<ArgumentOutOfRangeException>(() => new UniformDoubleOption(0, 1, logBase: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new UniformIntOption(3, 1));
        Assert.Throws<ArgumentException>(() => new ChoiceOption());
        Assert.Throws<ArgumentException>(() => new ChoiceOption("a", "a"));
        var unknown = new SearchSpace { ["rate"] = new UniformDoubleOption(0, 1).When("kind", "a") };
        Assert.Contains("'kind'", Assert.Throws<ArgumentException>(() => new RandomSearchTuner(unknown)).Message, StringComparison.Ordinal);
        var circle = new SearchSpace
        {
            ["a"] = new ChoiceOption("x", "y").When("b", "x"), ["b"] = new ChoiceOption("x", "y").When("a", "x"),
        };
        Assert.Contains("circle", Assert.Throws<ArgumentException>(() => new TpeTuner(circle)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TpeTuner(new SearchSpace()));
    }

    private static void AssertRefused<T>(string member)
        where T : class, new() =>
        Assert.Contains(member, Assert.ThrowsAny<ArgumentException>(() => new SearchSpace<T>()).Message, StringComparison.Ordinal);

    internal sealed class Recipe
    {
        [Range(1e-5, 1e-2, 1e-3, logBase: true)]
        public double Rate { get; set; } = 1e-3;

        [Range(1, 4)]
        public int Epochs { get; set; } = 3;

        [Range(0.0, 0.5, StepSize = 0.1)]
        public double Dropout { get; init; }

        [Choice(LearningRateSchedule.Linear, LearningRateSchedule.Cosine)]
        public LearningRateSchedule Schedule { get; set; } = LearningRateSchedule.Linear;

        [BooleanChoice]
        public bool UsesAdapters { get; set; } = true;

        [NestOption]
        [When(nameof(UsesAdapters), true)]
        public Adapters Adapters { get; set; } = new();

        public string Name { get; set; } = "";
    }

    internal sealed class Adapters
    {
        [Choice([2, 4, 8], 4)]
        public int Rank { get; set; } = 4;

        [Range(1f, 32f, logBase: true)]
        public float Alpha = 8;
    }

    internal sealed class BadRange
    {
        [Range(0, 1)]
        public string Name { get; set; } = "";
    }

    internal sealed class BadDefault
    {
        [Range(0.0, 1.0, 2.0)]
        public double Rate { get; set; }
    }

    internal sealed class BadChoice
    {
        [Choice("large")]
        public int Size { get; set; }
    }
}
