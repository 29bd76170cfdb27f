namespace MLTransfer.Torch.Training.Schedules;

/// <summary>What a run knows of its losses where these decide on the learning rate; kept in <c>trainer_state.json</c>.</summary>
internal sealed record PlateauState
{
    /// <summary>The learning rate as a part of what the schedule has without evaluations.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>The best loss; null before the first.</summary>
    public double? Best { get; init; }

    /// <summary>Losses in a row that were no better.</summary>
    public int Bad { get; init; }

    /// <summary>Evaluations that are left in which bad ones are not counted.</summary>
    public int Cooldown { get; init; }

    /// <summary>The state after an evaluation.</summary>
    /// <param name="loss">What it gave.</param>
    /// <param name="options">Of the schedule.</param>
    /// <param name="learningRate">The peak.</param>
    public PlateauState After(double loss, PlateauScheduleOptions options, double learningRate)
    {
        var isBetter = Best is not { } best
            || loss < (options.IsThresholdAbsolute ? best - options.Threshold : best * (1 - options.Threshold));
        var (bad, cooldown) = (isBetter ? 0 : Bad + 1, Cooldown);
        if (cooldown > 0)
            (bad, cooldown) = (0, cooldown - 1);
        var after = this with { Best = isBetter ? loss : Best, Bad = bad, Cooldown = cooldown };
        if (bad <= options.Patience)
            return after;
        var rate = Factor * learningRate;
        var reduced = Math.Max(rate * options.Reduction, options.MinimumLearningRate);
        return after with
        {
            Factor = rate - reduced > options.Epsilon ? reduced / learningRate : Factor, Bad = 0, Cooldown = options.Cooldown,
        };
    }
}
