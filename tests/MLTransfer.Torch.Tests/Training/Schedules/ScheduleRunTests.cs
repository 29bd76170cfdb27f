using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Schedules;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Schedules;

/// <summary>Schedules in runs.</summary>
public sealed class ScheduleRunTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void A_rate_that_losses_decide_on_is_reduced_and_a_resumed_run_ends_with_the_same_bits_and_rates()
    {
        var (whole, expected) = Train("whole", resume: false, cancelledAt: null);
        Assert.Throws<OperationCanceledException>(() => Train("cut", resume: false, cancelledAt: 8));
        var (resumed, actual) = Train("cut", resume: true, cancelledAt: null);
        Assert.All(whole, weight => Assert.Equal(weight.Value, resumed[weight.Key]));
        Assert.Equal(expected.TakeLast(actual.Count), actual);
        Assert.True(actual[0] < 0.02 && actual[^1] >= 0.02 / 50, $"{actual[0]} to {actual[^1]}");
        Assert.True(expected.Distinct().Count() > 2);

        (IReadOnlyDictionary<string, byte[]> Weights, List<double> Rates) Train(string folder, bool resume, int? cancelledAt)
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Worsening);
            using var cancellation = new CancellationTokenSource();
            var options = TinyRun.Options(TinyRunKind.Worsening, _folders[folder], resume: resume) with
            {
                LearningRateSchedule = LearningRateSchedule.ReduceOnPlateau,
                ScheduleOptions = new PlateauScheduleOptions { Reduction = 0.5, Patience = 0, MinimumLearningRate = 0.02 / 50 },
                EvaluationSteps = 1,
            };
            var rates = new List<double>();
            new LanguageModelTrainer(model, options, [.. TinyRun.Rows.Take(3)], TinyRun.ValidationRows).Train(
                new ProgressCallback(report =>
                {
                    if (report.LearningRate is { } rate)
                        rates.Add(rate);
                    if (report.Step == cancelledAt)
                        cancellation.Cancel();
                }),
                cancellation.Token);
            return (WeightBytes.Of(model), rates);
        }
    }

    [Fact]
    public void A_lowest_rate_may_be_told_as_such_and_a_warm_up_may_start_above_0()
    {
        var options = new LanguageTrainingOptions
        {
            LearningRate = 2e-3, WarmupSteps = 5, LearningRateSchedule = LearningRateSchedule.CosineWarmupWithMinimum,
            ScheduleOptions = new CosineScheduleOptions { MinimumLearningRate = 5e-4, WarmupStart = 0.2 },
        };
        options.Check();
        double[] expected = [0.2, 0.4, 0.6, 0.8, 1, 0.25 + 0.75 * 0.5 * (1 + Math.Cos(Math.PI * 0.1))];
        Assert.All(expected.Index(), factor => Assert.Equal(factor.Item, options.RateFactor(factor.Index, 15), 1e-15));
        Assert.Equal(0.25, options.RateFactor(14, 15), 1e-15);
    }

    [Fact]
    public void A_warm_up_by_a_square_root_and_a_linear_decay_are_those_of_their_formulas()
    {
        var options = new LanguageTrainingOptions
        {
            WarmupSteps = 4, LearningRateSchedule = LearningRateSchedule.WarmupStableDecay,
            ScheduleOptions = new WarmupStableDecayScheduleOptions
            {
                DecaySteps = 4, WarmupShape = RampShape.OneMinusSquareRoot, DecayShape = RampShape.Linear, MinimumRate = 0.5,
            },
        };
        double[] expected = [0.5, 1 - 0.5 * Math.Sqrt(0.75), 1 - 0.5 * Math.Sqrt(0.5), 0.75, 1, 1, 1, 0.875, 0.75, 0.625, 0.5];
        Assert.All(expected.Index(), factor => Assert.Equal(factor.Item, options.RateFactor(factor.Index, 10), 1e-15));
    }

    [Fact]
    public void The_time_scale_of_an_inverse_square_root_is_obeyed()
    {
        var options = new LanguageTrainingOptions
        {
            WarmupSteps = 2, LearningRateSchedule = LearningRateSchedule.InverseSquareRoot,
            ScheduleOptions = new InverseSquareRootScheduleOptions { TimeScale = 3 },
        };
        Assert.All(
            ((int Step, double Factor)[])[(1, 0.5), (2, 1), (5, Math.Sqrt(0.5))],
            expected => Assert.Equal(expected.Factor, options.RateFactor(expected.Step, 10), 1e-15));
    }

    [Fact]
    public void What_does_not_belong_to_a_schedule_or_lacks_is_refused_by_name()
    {
        var options = new LanguageTrainingOptions();
        Refused("ScheduleOptions", options with { ScheduleOptions = new PolynomialScheduleOptions() });
        Refused("MinimumRate", options with { LearningRateSchedule = LearningRateSchedule.CosineWithMinimum });
        Refused("MinimumRate", options with
        {
            LearningRateSchedule = LearningRateSchedule.Cosine, ScheduleOptions = new CosineScheduleOptions { MinimumRate = 0.1 },
        });
        Refused("WarmupStart", options with
        {
            LearningRateSchedule = LearningRateSchedule.Cosine, ScheduleOptions = new CosineScheduleOptions { WarmupStart = 0.1 },
        });
        Refused("DecaySteps", options with { LearningRateSchedule = LearningRateSchedule.WarmupStableDecay });
        Refused("EndLearningRate", options with
        {
            LearningRateSchedule = LearningRateSchedule.Polynomial,
            ScheduleOptions = new PolynomialScheduleOptions { EndLearningRate = 1 },
        });
        Refused("Reduction", options with
        {
            LearningRateSchedule = LearningRateSchedule.ReduceOnPlateau, ScheduleOptions = new PlateauScheduleOptions { Reduction = 1 },
        });
        using var model = TinyRun.LoadModel();
        var error = Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(
            model, options with { LearningRateSchedule = LearningRateSchedule.ReduceOnPlateau }, TinyRun.Rows));
        Assert.Contains("validation rows", error.Message);

        static void Refused(string name, LanguageTrainingOptions options) =>
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(options.Check).Message);
    }
}
