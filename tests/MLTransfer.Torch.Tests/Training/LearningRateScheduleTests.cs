using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Values of transformers' <c>get_linear/cosine/constant_schedule_with_warmup</c>, from their definitions.</summary>
public class LearningRateScheduleTests
{
    [Theory]
    [InlineData(LearningRateSchedule.Linear, 0, 0, 10, 1)]
    [InlineData(LearningRateSchedule.Linear, 1, 0, 10, 0.9)]
    [InlineData(LearningRateSchedule.Linear, 9, 0, 10, 0.1)]
    [InlineData(LearningRateSchedule.Linear, 10, 0, 10, 0)]
    [InlineData(LearningRateSchedule.Linear, 11, 0, 10, 0)]
    [InlineData(LearningRateSchedule.Linear, 0, 4, 10, 0)]
    [InlineData(LearningRateSchedule.Linear, 1, 4, 10, 0.25)]
    [InlineData(LearningRateSchedule.Linear, 3, 4, 10, 0.75)]
    [InlineData(LearningRateSchedule.Linear, 4, 4, 10, 1)]
    [InlineData(LearningRateSchedule.Linear, 7, 4, 10, 0.5)]
    [InlineData(LearningRateSchedule.Linear, 5, 10, 10, 0.5)]
    [InlineData(LearningRateSchedule.Linear, 8, 16, 10, 0.5)]
    [InlineData(LearningRateSchedule.Linear, 0, 0, 1, 1)]
    [InlineData(LearningRateSchedule.Cosine, 0, 0, 12, 1)]
    [InlineData(LearningRateSchedule.Cosine, 3, 0, 12, 0.8535533905932737)]
    [InlineData(LearningRateSchedule.Cosine, 4, 0, 12, 0.75)]
    [InlineData(LearningRateSchedule.Cosine, 6, 0, 12, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 8, 0, 12, 0.25)]
    [InlineData(LearningRateSchedule.Cosine, 12, 0, 12, 0)]
    [InlineData(LearningRateSchedule.Cosine, 1, 4, 16, 0.25)]
    [InlineData(LearningRateSchedule.Cosine, 4, 4, 16, 1)]
    [InlineData(LearningRateSchedule.Cosine, 8, 4, 16, 0.75)]
    [InlineData(LearningRateSchedule.Cosine, 15, 4, 16, 0.01703708685546585)]
    [InlineData(LearningRateSchedule.Constant, 0, 0, 10, 1)]
    [InlineData(LearningRateSchedule.Constant, 10, 0, 10, 1)]
    [InlineData(LearningRateSchedule.Constant, 0, 4, 10, 0)]
    [InlineData(LearningRateSchedule.Constant, 2, 4, 10, 0.5)]
    [InlineData(LearningRateSchedule.Constant, 4, 4, 10, 1)]
    public void The_factor_is_that_of_the_definition(
        LearningRateSchedule schedule, int step, int warmupSteps, int totalSteps, double expected) =>
        Assert.Equal(expected, schedule.Factor(step, warmupSteps, totalSteps), 1e-15);

    [Fact]
    public void A_run_reports_the_rate_of_each_step()
    {
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions
            { MaximumSteps = 6, LearningRate = 1e-3, WarmupSteps = 2, LearningRateSchedule = LearningRateSchedule.Linear };
        var history = new LanguageModelTrainer(model, options, TinyRun.Rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken).History;
        Assert.Equal([0, 0.5e-3, 1e-3, 0.75e-3, 0.5e-3, 0.25e-3], history.Select(report => Math.Round(report.LearningRate!.Value, 12)));
    }
}
