using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Preferences;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Preferences;

/// <summary>What a training run promises, of preference tuning.</summary>
public sealed class PreferenceRunTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folders.Dispose();

    [Theory]
    [InlineData(true, 5, false)]
    [InlineData(false, 5, false)] // the reference is left in the saved run alone
    [InlineData(true, 3, true)]   // at a checkpoint, with everything that draws
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits(bool adapters, int cancelledAt, bool everything)
    {
        var expected = Train("whole", resume: false, cancelledAt: null);
        Assert.Throws<OperationCanceledException>(() => Train("cut", resume: false, cancelledAt));
        var actual = Train("cut", resume: true, cancelledAt: null);

        Assert.All(expected.Weights, weight => Assert.Equal(weight.Value, actual.Weights[weight.Key]));
        Assert.Equal(expected.Last, actual.Last);

        (IReadOnlyDictionary<string, byte[]> Weights, PreferenceMetrics? Last) Train(string folder, bool resume, int? cancelledAt)
        {
            using var model = Model(adapters);
            using var cancellation = new CancellationTokenSource();
            var options = Options with
            {
                MaximumSteps = 8, EvaluationSteps = 2, OutputDirectory = _folders[folder], CheckpointSteps = 3, Resume = resume,
                Shuffle = true, DisableDropout = !everything, NeftuneNoiseAlpha = everything ? 5 : 0,
                Optimizer = everything ? OptimizerAlgorithm.Lion : OptimizerAlgorithm.AdamW, GradientAccumulationSteps = 2,
                LearningRateSchedule = everything ? LearningRateSchedule.CosineWithRestarts : LearningRateSchedule.Linear,
                GradientCheckpointing = everything, GroupByLength = everything, TensorBoard = everything,
            };
            var result = new PreferenceTrainer(model, options, TinyPairs.Training, TinyPairs.Validation).Train(
                new ProgressCallback(report =>
                {
                    if (report.Step == cancelledAt)
                        cancellation.Cancel();
                }), cancellation.Token);
            return (WeightBytes.Of(model), result.ValidationPreferences);
        }
    }

    [Fact]
    public void Accumulated_passes_and_blocks_computed_twice_change_nothing_but_rounding()
    {
        var expected = Train(Options);
        foreach (var options in (PreferenceTrainingOptions[])
        [
            Options with { BatchSize = 2, GradientAccumulationSteps = 2 }, Options with { GradientCheckpointing = true },
            Options with { EvaluationBatchSize = 1 },
        ])
        {
            var actual = Train(options);
            Assert.All(expected.Zip(actual), pair =>
            {
                Assert.Equal(pair.First.Loss!.Value, pair.Second.Loss!.Value, 1e-5);
                Assert.Equal(pair.First.Preferences!.RewardMargin, pair.Second.Preferences!.RewardMargin, 1e-4);
                Assert.Equal(pair.First.GradientNorm!.Value, pair.Second.GradientNorm!.Value, 1e-3 * pair.First.GradientNorm.Value);
            });
        }

        static IReadOnlyList<TrainingProgress> Train(PreferenceTrainingOptions options)
        {
            using var model = Model(adapters: true);
            return new PreferenceTrainer(model, options, TinyPairs.Training).Train(cancellationToken: Token).History;
        }
    }

    [Theory]
    [InlineData(true, PreferenceReference.AdaptersOff)]
    [InlineData(false, PreferenceReference.AdaptersOff)]
    [InlineData(true, PreferenceReference.Start)]
    public void Rewards_are_measured_against_the_model_before_tuning(bool adapters, PreferenceReference reference)
    {
        using var before = Model(adapters: false);
        using var model = Model(adapters);
        var result = new PreferenceTrainer(model, Options with { Reference = reference }, TinyPairs.Training, TinyPairs.Validation)
            .Train(cancellationToken: Token);

        Assert.InRange(Math.Abs(result.History[1].Preferences!.RewardMargin), 0, 1e-5); // of the first step
        Assert.True(result.History[^1].Preferences!.RewardMargin > 0.01);
        var measured = PreferenceEvaluator.Evaluate(
            model, before, new PreferenceObjective(PreferenceLoss.Sigmoid, Beta: 0.1, LabelSmoothing: 0), TinyPairs.Validation,
            batchSize: 2, Token);
        Assert.Equal(result.ValidationPreferences!.RewardMargin, measured.RewardMargin, 1e-4);
        Assert.Equal(result.ValidationLoss!.Value, measured.Loss, 1e-5);
        Assert.Equal(3, measured.PairCount);
    }

    [Fact]
    public void Adapters_that_were_trained_before_are_part_of_the_reference_only_where_it_is_the_start()
    {
        Assert.True(Math.Abs(FirstMargin(PreferenceReference.AdaptersOff)) > 1e-3);
        Assert.InRange(Math.Abs(FirstMargin(PreferenceReference.Start)), 0, 1e-5);

        static double FirstMargin(PreferenceReference reference)
        {
            using var model = CausalLanguageModel.Load(RepositoryFiles.Data("families/llama-tiny"));
            PeftAdapterFolder.Load(model, RepositoryFiles.Data("training/dpo_start"));
            return new PreferenceTrainer(model, Options with { Reference = reference, MaximumSteps = 1 }, TinyPairs.Training)
                .Train(cancellationToken: Token).History[0].Preferences!.RewardMargin;
        }
    }

    [Theory]
    [InlineData("families/t5-tiny")]
    [InlineData("families/bart-tiny")]
    public void Encoders_with_decoders_are_tuned_too(string folder)
    {
        using var model = (EncoderDecoderModel)TransformerNetwork.Load(RepositoryFiles.Data(folder));
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4 }, seed: 1);
        var pairs = TinyPairs.Create(count: 6, seed: 3, model.DecoderStartTokenId);
        var history = new PreferenceTrainer(model, Options with { MaximumSteps = 20 }, pairs).Train(cancellationToken: Token).History;

        Assert.Equal(Math.Log(2), history[0].Loss!.Value, 1e-4);
        Assert.True(history[^1].Loss < 0.6, $"{history[^1].Loss}");
    }

    [Fact]
    public void Products_in_bfloat16_give_the_losses_of_float32_but_for_their_digits()
    {
        var (wide, narrow) = (Train(Precision.Float32), Train(Precision.BFloat16));
        Assert.All(wide.Zip(narrow), pair => Assert.Equal(pair.First.Loss!.Value, pair.Second.Loss!.Value, 0.05));
        Assert.NotEqual(wide[^1].Loss, narrow[^1].Loss);

        static IReadOnlyList<TrainingProgress> Train(Precision precision)
        {
            using var model = Model(adapters: true);
            return new PreferenceTrainer(model, Options with { Precision = precision }, TinyPairs.Training)
                .Train(cancellationToken: Token).History;
        }
    }

    [Fact]
    public void Every_line_of_the_log_has_the_rewards_under_the_names_of_trl()
    {
        using var model = Model(adapters: true);
        new PreferenceTrainer(
            model, Options with { OutputDirectory = _folders["log"] }, TinyPairs.Training, TinyPairs.Validation)
            .Train(cancellationToken: Token);
        var lines = File.ReadAllLines(Path.Combine(_folders["log"], "metrics.jsonl"));
        string[] names = ["rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected"];
        Assert.All(names, name => Assert.Contains($"\"{name}\"", lines[1], StringComparison.Ordinal));
        Assert.All(names, name => Assert.Contains($"\"eval_{name}\"", lines[^1], StringComparison.Ordinal));
        Assert.Contains("rewards/margins", File.ReadAllText(Path.Combine(_folders["log"], "run.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_memory_of_a_pair_is_that_of_two_rows()
    {
        using var model = Model(adapters: true);
        var pairs = TrainingMemory.Estimate(model, new PreferenceTrainingOptions { BatchSize = 16, EvaluationBatchSize = 16 }, 60);
        var rows = TrainingMemory.Estimate(model, new LanguageTrainingOptions { BatchSize = 32, EvaluationBatchSize = 32 }, 60);
        Assert.Equal(rows.Activations, pairs.Activations);
        var one = new PreferenceTrainer(model, Options with { BatchSize = 1, EvaluationBatchSize = 1 }, TinyPairs.Training);
        var ten = new PreferenceTrainer(model, Options with { BatchSize = 10, EvaluationBatchSize = 1 }, TinyPairs.Training);
        Assert.True(ten.EstimateMemory().Activations > 2 * one.EstimateMemory().Activations);
        var refused = new PreferenceTrainer(model, Options with { BatchSize = 8, MemoryLimit = 1 << 20 }, TinyPairs.Training);
        Assert.Throws<InsufficientMemoryException>(() => refused.Train(cancellationToken: Token));
    }

    internal static PreferenceTrainingOptions Options => new()
    {
        MaximumSteps = 6, BatchSize = 4, LearningRate = 5e-3, Precision = Precision.Float32, Shuffle = false, KeepBestModel = false,
        LearningRateSchedule = LearningRateSchedule.Constant,
    };

    internal static CausalLanguageModel Model(bool adapters)
    {
        var model = TinyRun.LoadModel();
        model.Dropout = new DropoutProbabilities(0.1, 0.1, 0.1);
        if (adapters)
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4, Dropout = 0.1, TargetModules = ["c_attn"] }, seed: 3);
        return model;
    }
}
