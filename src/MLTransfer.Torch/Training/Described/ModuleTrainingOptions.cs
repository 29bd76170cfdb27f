namespace MLTransfer.Torch.Training.Described;

/// <summary>How <see cref="NetworkTrainer"/> trains; what Keras gives to <c>compile</c> and <c>fit</c>.</summary>
public sealed record ModuleTrainingOptions : TrainingOptions
{
    /// <summary>The defaults, with a seed of 0.</summary>
    public ModuleTrainingOptions() => Seed = 0;

    /// <summary>What is made small.</summary>
    public TrainingLoss Loss { get; init; } = TrainingLoss.MeanSquaredError;

    /// <summary>How gradients change parameters.</summary>
    public OptimizerAlgorithm Optimizer { get; init; } = OptimizerAlgorithm.Adam;

    /// <summary>The step size.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The share of the last step that the next one keeps, from 0 to less than 1; for stochastic gradient descent only.</summary>
    public double Momentum { get; init; }

    /// <summary>The share of a weight that is removed, times the learning rate; vectors such as biases are spared. For AdamW only.</summary>
    public double WeightDecay { get; init; }

    /// <summary>How often the rows are gone through.</summary>
    public int NumberOfEpochs { get; init; } = 10;

    /// <summary>Rows of one step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Whether every epoch goes through the rows in another random order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Epochs in a row without a better validation loss after which training stops; 0 for never.</summary>
    public int EarlyStoppingPatience { get; init; }

    /// <summary>Whether the network ends with the weights of the epoch with the best validation loss, where there are validation rows.</summary>
    public bool KeepBestModel { get; init; } = true;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal override void Check()
    {
        Defined(nameof(Loss), Loss);
        Defined(nameof(Optimizer), Optimizer);
        if (LearningRate is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(LearningRate), LearningRate, $"{nameof(LearningRate)} must be a positive number.");
        if (Momentum is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(Momentum), Momentum, $"{nameof(Momentum)} must be from 0 to less than 1.");
        if (WeightDecay is not (>= 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(WeightDecay), WeightDecay, $"{nameof(WeightDecay)} must be 0 or a positive number.");
        OnlyFor(nameof(Momentum), Momentum, OptimizerAlgorithm.StochasticGradientDescent);
        OnlyFor(nameof(WeightDecay), WeightDecay, OptimizerAlgorithm.AdamW);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(NumberOfEpochs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(BatchSize);
        ArgumentOutOfRangeException.ThrowIfNegative(EarlyStoppingPatience);
    }

    private void OnlyFor(string option, double value, OptimizerAlgorithm algorithm)
    {
        if (value != 0 && Optimizer != algorithm)
            throw new ArgumentException($"{option} is {value}, but {nameof(Optimizer)} is {Optimizer}; it works with {algorithm} only.", option);
    }

    private static void Defined<T>(string option, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }
}
