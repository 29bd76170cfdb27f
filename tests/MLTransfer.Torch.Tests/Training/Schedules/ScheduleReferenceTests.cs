using System.Text.Json.Nodes;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Schedules;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Schedules;

/// <summary>The learning rates of transformers' schedules and torch's plateau, step by step.</summary>
public class ScheduleReferenceTests
{
    private static readonly JsonNode s_reference =
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("training/schedules.json")))!;

    private static readonly double s_peak = s_reference["learning_rate"]!.GetValue<double>();

    public static TheoryData<string> Schedules =>
        [.. s_reference["schedules"]!.AsObject().Select(s => s.Key).Where(name => name != "reduce_lr_on_plateau")];

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Every_rate_is_that_of_the_reference_also_after_the_last_step(string name)
    {
        var reference = s_reference["schedules"]![name]!;
        var kind = reference["kind"]!.GetValue<string>();
        var options = new LanguageTrainingOptions
        {
            LearningRate = s_peak,
            WarmupSteps = kind == "constant" ? 0 : reference["warmup_steps"]!.GetValue<int>(), // of which it knows nothing
            LearningRateSchedule = Schedule(kind),
            ScheduleOptions = Options(kind, reference["arguments"]!.AsObject()),
        };
        options.Check();
        var steps = s_reference["training_steps"]!.GetValue<int>();
        var expected = Numbers(reference["learning_rates"]).Concat(Numbers(reference["beyond"]));
        Assert.All(expected.Index(), rate => Assert.Equal(rate.Item, s_peak * options.RateFactor(rate.Index, steps), 1e-12));
    }

    [Fact]
    public void A_plateau_reduces_the_rate_as_the_reference_does()
    {
        var reference = s_reference["schedules"]!["reduce_lr_on_plateau"]!;
        var arguments = reference["arguments"]!;
        var options = new PlateauScheduleOptions
        {
            Reduction = Number(arguments["factor"]),
            Patience = arguments["patience"]!.GetValue<int>(),
            Threshold = Number(arguments["threshold"]),
            IsThresholdAbsolute = arguments["threshold_mode"]!.GetValue<string>() == "abs",
            Cooldown = arguments["cooldown"]!.GetValue<int>(),
            MinimumLearningRate = Number(arguments["min_lr"]),
            Epsilon = Number(arguments["eps"]),
        };
        var state = new PlateauState();
        foreach (var (loss, rate) in Numbers(reference["losses"]).Zip(Numbers(reference["learning_rates_after_each_loss"])))
        {
            state = state.After(loss, options, s_peak);
            Assert.Equal(rate, s_peak * state.Factor, 1e-12);
        }
    }

    private static LearningRateSchedule Schedule(string kind) => kind switch
    {
        "linear" => LearningRateSchedule.Linear,
        "cosine" => LearningRateSchedule.Cosine,
        "constant" or "constant_with_warmup" => LearningRateSchedule.Constant,
        "cosine_with_restarts" => LearningRateSchedule.CosineWithRestarts,
        "polynomial" => LearningRateSchedule.Polynomial,
        "inverse_sqrt" => LearningRateSchedule.InverseSquareRoot,
        "cosine_with_min_lr" => LearningRateSchedule.CosineWithMinimum,
        "cosine_warmup_with_min_lr" => LearningRateSchedule.CosineWarmupWithMinimum,
        "warmup_stable_decay" => LearningRateSchedule.WarmupStableDecay,
        _ => throw new InvalidDataException(kind),
    };

    private static LearningRateScheduleOptions? Options(string kind, JsonObject arguments) => arguments.Count == 0 ? null : kind switch
    {
        "polynomial" => new PolynomialScheduleOptions { Power = Number(arguments["power"]), EndLearningRate = Number(arguments["lr_end"]) },
        "warmup_stable_decay" => new WarmupStableDecayScheduleOptions
        {
            DecaySteps = arguments["num_decay_steps"]!.GetValue<int>(),
            StableSteps = arguments["num_stable_steps"]?.GetValue<int>(),
            MinimumRate = arguments["min_lr_ratio"]?.GetValue<double>() ?? 0,
            WarmupShape = Shape(arguments["warmup_type"]) ?? RampShape.Linear,
            DecayShape = Shape(arguments["decay_type"]) ?? RampShape.Cosine,
        },
        _ => new CosineScheduleOptions
        {
            Cycles = arguments["num_cycles"]?.GetValue<double>(), MinimumRate = arguments["min_lr_rate"]?.GetValue<double>(),
        },
    };

    private static RampShape? Shape(JsonNode? name) => name?.GetValue<string>() switch
    {
        null => null,
        "cosine" => RampShape.Cosine,
        "1-sqrt" => RampShape.OneMinusSquareRoot,
        var other => throw new InvalidDataException(other),
    };

    private static double Number(JsonNode? node) => node!.GetValue<double>();

    private static IEnumerable<double> Numbers(JsonNode? nodes) => nodes!.AsArray().Select(Number);
}
