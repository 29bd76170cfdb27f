using MLTransfer.Torch.Networks.Codecs.DiscreteVae;

namespace MLTransfer.Torch.Training.Images;

/// <summary>The numbers that change from step to step. Steps are counted from 0.</summary>
/// <param name="options">What the user says.</param>
/// <param name="objective">What the checkpoint says, where the user says nothing.</param>
/// <param name="totalSteps">Of the run.</param>
internal sealed class DiscreteVaeSchedule(DiscreteVaeTrainingOptions options, DiscreteVaeObjective objective, int totalSteps)
{
    public double Temperature(int step) => Between(
        options.TemperatureStart ?? objective.Temperature ?? 1, options.TemperatureEnd ?? objective.Temperature ?? 1 / 16.0, step,
        options.TemperatureSteps);

    public double KlWeight(int step) => Between(
        options.KlWeightStart ?? objective.KlWeight ?? 0, options.KlWeightEnd ?? objective.KlWeight ?? 6.6, step, options.KlWeightSteps);

    public double LearningRate(int step)
    {
        var steps = StepsOf(options.LearningRateSteps);
        var factor = options.RateFactor(Math.Min(step, steps), steps);
        return options.LearningRateSchedule == LearningRateSchedule.Constant ? options.LearningRate * factor
            : options.FinalLearningRate + (options.LearningRate - options.FinalLearningRate) * factor;
    }

    private double Between(double start, double end, int step, int steps)
    {
        var all = StepsOf(steps);
        return end + (start - end) * LearningRateSchedule.Cosine.Factor(Math.Min(step, all), warmupSteps: 0, all);
    }

    private int StepsOf(int steps) => steps > 0 ? steps : totalSteps;
}
