using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public sealed class GradientCheckpointingTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Gradients_are_those_of_an_ordinary_backward_pass(bool hasAdapters, bool isPacked)
    {
        using var scope = NewDisposeScope();
        using var model = TinyRun.CreateModel(hasAdapters ? TinyRunKind.Adapters : TinyRunKind.Improving);
        model.Dropout = new DropoutProbabilities(0, 0, 0);
        model.eval(); // no dropout of adapters either
        var examples = isPacked ? TrainingExamples.Pack(TinyRun.Rows, 60) : TinyRun.Rows;
        var batch = TrainingBatch.Create([.. examples.Take(3)], CPU);

        var expectedLoss = LanguageModelLoss.Backward(model, batch, 0.1);
        var expected = model.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.grad!.clone());
        foreach (var (_, parameter) in model.TrainableParameters())
            parameter.grad = null;

        using var checkpoints = new BlockRecomputation(1, model.DropoutSource);
        Assert.Equal(expectedLoss, LanguageModelLoss.Backward(model, batch, 0.1, checkpoints), 1e-9);
        foreach (var (name, parameter) in model.TrainableParameters())
            Assert.True((parameter.grad! - expected[name]).abs().max().item<float>() <= 1e-7f, name);
    }

    [Fact]
    public void With_dropout_the_second_pass_drops_what_the_first_one_dropped()
    {
        using var scope = NewDisposeScope();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        model.Dropout = new DropoutProbabilities(0, 0.2, 0.2);
        model.train();
        var batch = TrainingBatch.Create([.. TinyRun.Rows.Take(2)], CPU);
        Loss();

        // Along the gradient the loss changes by its squared norm, if it is the gradient of that loss.
        var gradients = model.TrainableParameters().Select(p => (p.Parameter, Gradient: p.Parameter.grad!.clone())).ToList();
        var squaredNorm = gradients.Sum(p => (double)p.Gradient.square().sum().item<float>());
        const double Step = 1e-3;
        var change = (LossAt(Step) - LossAt(-Step)) / (2 * Step);
        Assert.Equal(squaredNorm, change, 0.01 * squaredNorm);

        double LossAt(double step)
        {
            Move(step);
            var loss = Loss();
            Move(-step);
            return loss;
        }

        void Move(double step)
        {
            using var noGradients = no_grad();
            foreach (var (parameter, gradient) in gradients)
                parameter.add_(gradient, alpha: step);
        }

        double Loss()
        {
            using var checkpoints = new BlockRecomputation(7, model.DropoutSource);
            return LanguageModelLoss.Backward(model, batch, 0.1, checkpoints);
        }
    }

    [Fact]
    public void A_run_that_is_resumed_ends_with_the_same_weights()
    {
        using var folder = new TemporaryFolder();
        using var whole = TinyRun.CreateModel(TinyRunKind.Improving);
        new LanguageModelTrainer(whole, Options(null, steps: 6), TinyRun.Rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken);

        using var resumed = TinyRun.CreateModel(TinyRunKind.Improving);
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(
            () => new LanguageModelTrainer(resumed, Options(folder.Path, steps: 6), TinyRun.Rows).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == 5)
                    cancellation.Cancel();
            }),
            cancellation.Token));
        var result = new LanguageModelTrainer(resumed, Options(folder.Path, steps: 6), TinyRun.Rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(5, result.History[0].Step); // after the checkpoint of step 4
        WeightBytes.AssertEqual(WeightBytes.Of(whole), resumed);
    }

    private static LanguageTrainingOptions Options(string? folder, int steps) => new()
    {
        MaximumSteps = steps,
        BatchSize = 2,
        GradientAccumulationSteps = 2,
        LearningRate = 1e-3,
        GradientCheckpointing = true,
        OutputDirectory = folder,
        CheckpointSteps = folder is null ? 0 : 4,
        Resume = folder is not null,
    };
}
