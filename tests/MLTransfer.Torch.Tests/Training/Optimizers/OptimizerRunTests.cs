using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Optimizers;

/// <summary>Runs with each optimizer, through the trainer.</summary>
public sealed class OptimizerRunTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    public static TheoryData<OptimizerAlgorithm, OptimizerOptions?, Precision> Optimizers => new()
    {
        { OptimizerAlgorithm.AdamW, null, Precision.BFloat16 },
        {
            OptimizerAlgorithm.StochasticGradientDescent,
            new StochasticGradientDescentOptions { Momentum = 0.9, Dampening = 0.1 }, Precision.Float32
        },
        { OptimizerAlgorithm.Adafactor, new AdafactorOptions { Beta1 = 0.5, ScaleParameter = true }, Precision.BFloat16 },
        { OptimizerAlgorithm.Lion, null, Precision.BFloat16 },
        { OptimizerAlgorithm.Muon, new MuonOptions { OtherLearningRate = 1e-3, Nesterov = false }, Precision.BFloat16 },
        { OptimizerAlgorithm.ScheduleFreeAdamW, new ScheduleFreeOptions { StepPower = 0.5 }, Precision.BFloat16 },
        { OptimizerAlgorithm.ScheduleFreeAdamW, null, Precision.Float32 },
    };

    public void Dispose() => _folders.Dispose();

    [Theory]
    [MemberData(nameof(Optimizers))]
    internal void A_cancelled_and_resumed_run_ends_with_the_same_bits(
        OptimizerAlgorithm optimizer, OptimizerOptions? details, Precision precision)
    {
        var expected = Train("whole", resume: false, cancelledAt: null);
        Assert.Throws<OperationCanceledException>(() => Train("cut", resume: false, cancelledAt: 8));
        var actual = Train("cut", resume: true, cancelledAt: null);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, weight => Assert.Equal(weight.Value, actual[weight.Key]));
        var start = StartWeights();
        Assert.All(expected, weight => Assert.NotEqual(start[weight.Key], weight.Value));

        IReadOnlyDictionary<string, byte[]> Train(string folder, bool resume, int? cancelledAt)
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Improving);
            using var cancellation = new CancellationTokenSource();
            var options = TinyRun.Options(TinyRunKind.Improving, _folders[folder], resume: resume) with
            {
                Optimizer = optimizer, OptimizerOptions = details, Precision = precision, KeepBestModel = false,
            };
            var losses = new List<double>();
            new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(
                new ProgressCallback(report =>
                {
                    losses.Add(report.ValidationLoss ?? double.NaN);
                    if (report.Step == cancelledAt)
                        cancellation.Cancel();
                }),
                cancellation.Token);
            return WeightBytes.Of(model);
        }
    }

    [Fact]
    public void The_mean_of_a_run_without_a_schedule_is_what_is_evaluated_saved_and_kept()
    {
        using var model = TinyRun.LoadModel();
        var options = TinyRun.Options(TinyRunKind.Improving, _folders["run"]) with
        {
            MaximumSteps = 3, Optimizer = OptimizerAlgorithm.ScheduleFreeAdamW, KeepBestModel = false,
        };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows)
            .Train(cancellationToken: TestContext.Current.CancellationToken);
        using var saved = CausalLanguageModel.Load(Path.Combine(_folders["run"], "checkpoint-3"));
        WeightBytes.AssertEqual(WeightBytes.Of(model), saved);
        var loss = Evaluator.Evaluate(saved, TinyRun.ValidationRows, cancellationToken: TestContext.Current.CancellationToken).Loss;
        Assert.Equal(loss, result.ValidationLoss!.Value, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    internal void No_tensor_stays_from_step_to_step(OptimizerAlgorithm algorithm, OptimizerOptions? details, Precision precision)
    {
        using var model = TinyRun.LoadModel();
        using var optimizer = OptimizerFactory.Create(
            new LanguageTrainingOptions { Optimizer = algorithm, OptimizerOptions = details, LearningRate = 1e-3, WeightDecay = 0.1 },
            LanguageTask.Trained(model));
        if (precision == Precision.BFloat16)
            _ = optimizer.CopyOf(model.OutputHead, TorchSharp.torch.ScalarType.BFloat16);
        var counts = new List<long>();
        for (var step = 0; step < 3; step++)
        {
            foreach (var (_, parameter) in model.TrainableParameters())
            {
                using var gradient = TorchSharp.torch.ones_like(parameter);
                parameter.grad = gradient;
            }

            optimizer.Step(1e-3, 0.5);
            optimizer.ExchangeWeights();
            optimizer.ExchangeWeights();
            optimizer.ClearGradients();
            counts.Add(TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(counts[0], counts[2]);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    internal void The_estimate_of_memory_counts_what_an_optimizer_keeps(
        OptimizerAlgorithm algorithm, OptimizerOptions? details, Precision precision)
    {
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions
        {
            Optimizer = algorithm, OptimizerOptions = details, Precision = precision, LearningRate = 1e-3,
            LearningRateSchedule = LearningRateSchedule.Constant,
        };
        using var optimizer = OptimizerFactory.Create(options, LanguageTask.Trained(model));
        var kept = optimizer.State.Where(state => !state.Key.EndsWith(".y", StringComparison.Ordinal)) // the weights themselves
            .Sum(state => state.Value.numel() * sizeof(float));
        Assert.InRange(TrainingMemory.Estimate(model, options, 16).Optimizer, 0.95 * kept, 1.05 * kept);
    }

    [Fact]
    public void What_does_not_belong_to_an_optimizer_is_refused_by_name()
    {
        var options = new LanguageTrainingOptions();
        Refused("OptimizerOptions", options with { OptimizerOptions = new LionOptions() });
        Refused("Beta2", options with { Optimizer = OptimizerAlgorithm.Lion, OptimizerOptions = new LionOptions { Beta2 = 1 } });
        Refused("WeightDecay", options with { Optimizer = OptimizerAlgorithm.Adam, WeightDecay = 0.1 });
        Refused("LearningRateSchedule.Constant", options with { Optimizer = OptimizerAlgorithm.ScheduleFreeAdamW });
        Refused("LearningRate 1", options with
        {
            Optimizer = OptimizerAlgorithm.Adafactor, OptimizerOptions = new AdafactorOptions { RelativeStep = true },
        });
        Refused("WarmupInitialization", options with
        {
            Optimizer = OptimizerAlgorithm.Adafactor, OptimizerOptions = new AdafactorOptions { WarmupInitialization = true },
        });
        Refused("Coefficients", options with
        {
            Optimizer = OptimizerAlgorithm.Muon, OptimizerOptions = new MuonOptions { Coefficients = [1, 2] },
        });
        Refused("Nesterov", options with
        {
            Optimizer = OptimizerAlgorithm.StochasticGradientDescent,
            OptimizerOptions = new StochasticGradientDescentOptions { Nesterov = true },
        });
        Refused("WeightAverageDecay", options with
        {
            Optimizer = OptimizerAlgorithm.ScheduleFreeAdamW, LearningRateSchedule = LearningRateSchedule.Constant,
            WeightAverageDecay = 0.9,
        });

        static void Refused(string name, LanguageTrainingOptions options) =>
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(options.Check).Message);
    }

    [Fact]
    public void Muon_without_a_matrix_to_train_is_refused()
    {
        using var model = TinyRun.LoadModel();
        Torch.Adaptation.ParameterFreezing.FreezeByName(model, "transformer.h.*");
        var options = TinyRun.Options(TinyRunKind.Improving, folder: null) with { Optimizer = OptimizerAlgorithm.Muon };
        var error = Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(model, options, TinyRun.Rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("matrices inside a network", error.Message);
    }

    private static IReadOnlyDictionary<string, byte[]> StartWeights()
    {
        using var model = TinyRun.LoadModel();
        return WeightBytes.Of(model);
    }
}
