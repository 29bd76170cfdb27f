using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public class WarmupRatioTests
{
    [Theory]
    [InlineData(0.2, 50, 10)]
    [InlineData(0.21, 50, 11)] // as transformers rounds
    [InlineData(1, 7, 7)]
    public void A_share_of_the_steps_is_so_many_steps_of_warm_up(double ratio, int steps, int warmup)
    {
        var byRatio = new LanguageTrainingOptions { WarmupRatio = ratio };
        var bySteps = new LanguageTrainingOptions { WarmupSteps = warmup };
        Assert.All(Enumerable.Range(0, steps), step => Assert.Equal(bySteps.RateFactor(step, steps), byRatio.RateFactor(step, steps)));
        Assert.All(
            Enumerable.Range(0, steps), step => Assert.Equal(
                new LanguageTrainingOptions { WarmupSteps = 3 }.RateFactor(step, steps),
                new LanguageTrainingOptions { WarmupSteps = 3, WarmupRatio = ratio }.RateFactor(step, steps)));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    public void A_share_that_is_none_is_refused(double ratio) => Assert.Equal(
        nameof(EpochTrainingOptions.WarmupRatio),
        Assert.Throws<ArgumentOutOfRangeException>(() => new LanguageTrainingOptions { WarmupRatio = ratio }.Check()).ParamName);
}
