using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public class DivergenceTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)] // a checkpoint of the very weights that diverge is no good
    public void An_absurd_learning_rate_is_told_with_the_step_and_the_start_weights_come_back(int checkpointSteps)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var start = WeightBytes.Of(model);
        var options = new LanguageTrainingOptions
            { MaximumSteps = 9, LearningRate = 1e30, OutputDirectory = folder.Path, CheckpointSteps = checkpointSteps };
        var reached = 0;
        var error = Assert.Throws<TrainingDivergedException>(
            () => new LanguageModelTrainer(model, options, TinyRun.Rows)
                .Train(new ProgressCallback(report => reached = report.Step), TestCancellation));
        Assert.Equal(reached + 1, error.Step);
        Assert.Contains($"step {error.Step}", error.Message);
        Assert.Contains("learning rate", error.Message);
        WeightBytes.AssertEqual(start, model);
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public void A_weight_that_becomes_NaN_brings_back_the_last_checkpoint_before_it()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        IReadOnlyDictionary<string, byte[]>? good = null;
        var options = new LanguageTrainingOptions { MaximumSteps = 9, OutputDirectory = folder.Path, CheckpointSteps = 2 };
        var error = Assert.Throws<TrainingDivergedException>(() => new LanguageModelTrainer(model, options, TinyRun.Rows).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == 2)
                    good = WeightBytes.Of(model);
                if (report.Step == 4) // ends up in the checkpoint of this step
                    Break();
            }),
            TestCancellation));
        Assert.Equal(5, error.Step);
        WeightBytes.AssertEqual(good!, model);
        AssertFinite(model.parameters());

        void Break()
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            model.TokenEmbedding.fill_(float.NaN);
        }
    }

    [Fact]
    public void With_validation_rows_the_best_weights_come_back()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var (bestLoss, best) = (double.PositiveInfinity, WeightBytes.Of(model));
        var options = new LanguageTrainingOptions
            { Precision = Precision.Float32, MaximumSteps = 9, LearningRate = 2e-3, EvaluationSteps = 2, OutputDirectory = null };
        var error =
            Assert.Throws<TrainingDivergedException>(() => new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.Rows).Train(
            new ProgressCallback(report =>
            {
                if (report.ValidationLoss < bestLoss)
                    (bestLoss, best) = (report.ValidationLoss.Value, WeightBytes.Of(model));
                if (report.Step == 5)
                    Break();
            }),
            TestCancellation));
        Assert.Equal(6, error.Step);
        WeightBytes.AssertEqual(best, model);
        AssertFinite(model.parameters());
        Assert.Equal(bestLoss, Evaluator.Evaluate(model, TinyRun.Rows, cancellationToken: TestCancellation).Loss, 1e-6);

        void Break()
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            model.TokenEmbedding.fill_(float.PositiveInfinity);
        }
    }

    [Fact]
    public void A_validation_loss_that_is_not_finite_is_told_even_after_the_last_step()
    {
        using var model = TinyRun.LoadModel();
        var start = WeightBytes.Of(model);
        var options = new LanguageTrainingOptions { MaximumSteps = 1, LearningRate = 1e30 };
        var error = Assert.Throws<TrainingDivergedException>(
            () =>
                new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(cancellationToken: TestCancellation));
        Assert.Equal(1, error.Step);
        Assert.Contains("validation", error.Message);
        WeightBytes.AssertEqual(start, model);
    }

    [Fact]
    public void A_model_that_is_broken_from_the_start_is_told_at_step_0()
    {
        using var model = TinyRun.LoadModel();
        using (no_grad())
            model.TokenEmbedding.fill_(float.NaN);
        var trainer =
            new LanguageModelTrainer(model, new LanguageTrainingOptions { MaximumSteps = 1 }, TinyRun.Rows, TinyRun.ValidationRows);
        Assert.Equal(0, Assert.Throws<TrainingDivergedException>(() => trainer.Train(cancellationToken: TestCancellation)).Step);
    }

    private static void AssertFinite(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        Assert.All(tensors, tensor => Assert.True(tensor.isfinite().all().item<bool>()));
    }
}
