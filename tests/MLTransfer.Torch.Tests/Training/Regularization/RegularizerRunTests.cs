using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Regularization;

/// <summary>Runs with label smoothing, NEFTune and z-loss.</summary>
public sealed class RegularizerRunTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits()
    {
        var expected = Train("whole", resume: false, cancelledAt: null);
        Assert.Throws<OperationCanceledException>(() => Train("cut", resume: false, cancelledAt: 8));
        var actual = Train("cut", resume: true, cancelledAt: null);
        Assert.All(expected, weight => Assert.Equal(weight.Value, actual[weight.Key]));

        IReadOnlyDictionary<string, byte[]> Train(string folder, bool resume, int? cancelledAt)
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Improving);
            using var cancellation = new CancellationTokenSource();
            var options = TinyRun.Options(TinyRunKind.Improving, _folders[folder], resume: resume) with
            {
                LabelSmoothingFactor = 0.1, NeftuneNoiseAlpha = 5, ZLossWeight = 1e-2,
            };
            new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(
                new ProgressCallback(report =>
                {
                    if (report.Step == cancelledAt)
                        cancellation.Cancel();
                }),
                cancellation.Token);
            return WeightBytes.Of(model);
        }
    }

    [Theory]
    [InlineData("gpt2-tiny")]
    [InlineData("families/t5-tiny")] // encoder and decoder, both with noise
    [InlineData("families/bert-tiny")] // a masked model
    public void Each_changes_the_weights_of_every_kind_of_network_and_noise_does_not_depend_on_how_rows_are_passed(string folder)
    {
        var plain = Train(new LanguageTrainingOptions());
        Assert.NotEqual(plain, Train(new LanguageTrainingOptions { LabelSmoothingFactor = 0.1 }));
        Assert.NotEqual(plain, Train(new LanguageTrainingOptions { ZLossWeight = 0.1 }));
        var whole = Train(new LanguageTrainingOptions { NeftuneNoiseAlpha = 5 });
        Assert.NotEqual(plain, whole);
        var parts = Train(new LanguageTrainingOptions { NeftuneNoiseAlpha = 5, GradientAccumulationSteps = 4 });
        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));

        List<float> Train(LanguageTrainingOptions options)
        {
            using var model = TransformerNetwork.Load(RepositoryFiles.Data(folder));
            new LanguageModelTrainer(model, options with
            {
                MaximumSteps = 2, BatchSize = 4 / options.GradientAccumulationSteps, LearningRate = 0.1, Shuffle = false,
                Precision = Precision.Float32, MaximumGradientNorm = 0, LearningRateSchedule = LearningRateSchedule.Constant,
                Optimizer = Torch.Training.Optimizers.OptimizerAlgorithm.StochasticGradientDescent,
            }, [.. Enumerable.Range(0, 4).Select(Row)]).Train(cancellationToken: Token);
            using var scope = TorchSharp.torch.NewDisposeScope();
            return [.. model.TrainableParameters().Take(3).SelectMany(p => p.Parameter.data<float>().ToArray())];

            TrainingExample Row(int row)
            {
                int[] ids = [.. Enumerable.Range(0, 8).Select(i => 20 + (7 * row + 5 * i) % 60)];
                return model is EncoderDecoderModel ? new([0, .. ids], [TrainingExample.Ignored, .. ids]) { EncoderIds = ids }
                    : new TrainingExample(ids, ids) { PredictsInPlace = model is MaskedLanguageModel };
            }
        }
    }

    [Fact]
    public void Evaluations_measure_the_cross_entropy_alone()
    {
        var losses = new List<double>();
        foreach (var options in (LanguageTrainingOptions[])[
            new(), new() { LabelSmoothingFactor = 0.5, NeftuneNoiseAlpha = 50, ZLossWeight = 1 }])
        {
            using var model = TinyRun.LoadModel();
            losses.Add(new LanguageModelTrainer(model, options with { MaximumSteps = 1, LearningRate = 0 }, TinyRun.Rows, TinyRun.Rows)
                .Train(cancellationToken: Token).ValidationLoss!.Value);
        }

        Assert.Equal(losses[0], losses[1]);
    }

    [Fact]
    public void What_is_out_of_range_is_refused_by_name()
    {
        Refused("LabelSmoothingFactor", new() { LabelSmoothingFactor = 1 });
        Refused("NeftuneNoiseAlpha", new() { NeftuneNoiseAlpha = -1 });
        Refused("ZLossWeight", new() { ZLossWeight = double.NaN });

        static void Refused(string name, LanguageTrainingOptions options) =>
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(options.Check).Message);
    }
}
