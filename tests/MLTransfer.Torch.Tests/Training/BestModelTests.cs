using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public class BestModelTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void When_a_tiny_text_is_overfitted_the_best_weights_are_kept()
    {
        using var model = TinyRun.LoadModel();
        var best = WeightBytes.Of(model);
        var lowest = double.PositiveInfinity;
        var result = new LanguageModelTrainer(model, Overfitting(keepBest: true), TinyRun.Rows.Take(2).ToList(), TinyRun.ValidationRows)
            .Train(
            new ProgressCallback(report =>
            {
                if (report.ValidationLoss < lowest)
                    (lowest, best) = (report.ValidationLoss.Value, WeightBytes.Of(model));
            }),
            TestCancellation);
        Assert.InRange(result.ModelStep, 1, result.Steps - 1);
        Assert.True(result.History[^1].ValidationLoss > lowest + 0.1, "the run did not overfit");
        Assert.Equal(lowest, result.ValidationLoss);
        Assert.Equal(result.History.Single(report => report.Step == result.ModelStep).ValidationLoss, result.ValidationLoss);
        Assert.Equal(result.History[0].ValidationLoss, result.InitialValidationLoss);
        WeightBytes.AssertEqual(best, model);
        Assert.Equal(lowest, Evaluator.Evaluate(model, TinyRun.ValidationRows, cancellationToken: TestCancellation).Loss, 1e-6);
    }

    [Fact]
    public void Without_KeepBestModel_the_last_weights_are_kept()
    {
        using var model = TinyRun.LoadModel();
        var last = WeightBytes.Of(model);
        var result = new LanguageModelTrainer(model, Overfitting(keepBest: false), TinyRun.Rows.Take(2).ToList(), TinyRun.ValidationRows)
            .Train(
            new ProgressCallback(_ => last = WeightBytes.Of(model)), TestCancellation);
        Assert.Equal(result.Steps, result.ModelStep);
        Assert.Equal(result.History[^1].ValidationLoss, result.ValidationLoss);
        WeightBytes.AssertEqual(last, model);
        Assert.Equal(result.ValidationLoss!.Value,
            Evaluator.Evaluate(model, TinyRun.ValidationRows, cancellationToken: TestCancellation).Loss, 1e-6);
    }

    [Fact]
    public void Weights_that_training_only_makes_worse_end_as_they_started()
    {
        using var model = TinyRun.LoadModel();
        var start = WeightBytes.Of(model);
        var options = new LanguageTrainingOptions { MaximumSteps = 3, LearningRate = 1, EvaluationSteps = 1 };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows)
            .Train(cancellationToken: TestCancellation);
        Assert.Equal(0, result.ModelStep);
        Assert.Equal(result.InitialValidationLoss, result.ValidationLoss);
        WeightBytes.AssertEqual(start, model);
    }

    [Fact]
    public void Training_stops_after_as_many_evaluations_without_improvement_as_the_patience_allows()
    {
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions { MaximumSteps = 50, LearningRate = 1, EvaluationSteps = 2, EarlyStoppingPatience = 3 };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows)
            .Train(cancellationToken: TestCancellation);
        Assert.True(result.StoppedEarly);
        Assert.Equal(0, result.ModelStep);
        Assert.Equal(6, result.Steps);
        Assert.Equal([0, 2, 4, 6], result.History.Where(report => report.ValidationLoss is not null).Select(report => report.Step));
    }

    [Fact]
    public void A_run_that_improves_is_not_stopped()
    {
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions { MaximumSteps = 6, LearningRate = 1e-3, EvaluationSteps = 1, EarlyStoppingPatience = 1 };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.Rows).Train(cancellationToken: TestCancellation);
        Assert.False(result.StoppedEarly);
        Assert.Equal((6, 6), (result.Steps, result.ModelStep));
        Assert.Equal(result.History[^1].ValidationLoss, result.ValidationLoss);
    }

    private static LanguageTrainingOptions Overfitting(bool keepBest) => new()
    {
        Precision = Precision.Float32,
        MaximumSteps = 24,
        LearningRate = 1e-2,
        LearningRateSchedule = LearningRateSchedule.Constant,
        EvaluationSteps = 2,
        KeepBestModel = keepBest,
    };
}
