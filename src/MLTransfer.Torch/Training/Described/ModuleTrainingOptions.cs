namespace MLTransfer.Torch.Training.Described;

/// <summary>How <see cref="NetworkTrainer"/> trains; what Keras gives to <c>compile</c> and <c>fit</c>.</summary>
/// <remarks>
/// Defaults are those of Keras where there are such: <see cref="EpochTrainingOptions.NumberOfEpochs"/> 10,
/// <see cref="TrainingOptions.BatchSize"/> 32,
/// <see cref="TrainingOptions.LearningRate"/> 1e-3, which stays the same over the run, and no clipping. <see cref="TrainingOptions.Seed"/>
/// is 0. <see cref="TrainingOptions.Precision"/> is float32, the only one that such networks compute in.
/// </remarks>
public sealed record ModuleTrainingOptions : EpochTrainingOptions
{
    /// <summary>The defaults.</summary>
    public ModuleTrainingOptions()
    {
        (NumberOfEpochs, BatchSize, LearningRate) = (10, 32, 1e-3);
        (LearningRateSchedule, MaximumGradientNorm) = (LearningRateSchedule.Constant, 0);
        (Precision, Seed) = (Precision.Float32, 0);
    }

    /// <summary>What is made small.</summary>
    public TrainingLoss Loss { get; init; } = TrainingLoss.MeanSquaredError;

    /// <summary>How gradients change parameters.</summary>
    public OptimizerAlgorithm Optimizer { get; init; } = OptimizerAlgorithm.Adam;

    /// <summary>The share of the last step that the next one keeps, from 0 to less than 1; for stochastic gradient descent only.</summary>
    public double Momentum { get; init; }

    /// <summary>
    /// The share of a weight that is removed, times the learning rate; vectors such as biases are spared. For AdamW only.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// So many rows, the first of the validation rows (of the training rows where there are none), whose outputs are told before the first
    /// step and at each evaluation; they go to the progress, to <c>answers.jsonl</c> and <c>run.html</c>.
    /// </summary>
    public int SampleRows { get; init; }

    internal override IEnumerable<string> IrrelevantToWeights => base.IrrelevantToWeights.Append(nameof(SampleRows));

    internal override void Check()
    {
        base.Check();
        OptionRange.AtLeast(nameof(SampleRows), SampleRows, 0);
        OptionRange.Defined(nameof(Loss), Loss);
        OptionRange.Defined(nameof(Optimizer), Optimizer);
        OptionRange.Positive(nameof(LearningRate), LearningRate);
        OptionRange.FromZeroToLessThanOne(nameof(Momentum), Momentum);
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        OnlyFor(nameof(Momentum), Momentum, OptimizerAlgorithm.StochasticGradientDescent);
        OnlyFor(nameof(WeightDecay), WeightDecay, OptimizerAlgorithm.AdamW);
        if (Precision != Precision.Float32)
        {
            throw new ArgumentException(
                $"{nameof(Precision)} is {Precision}; a network of described layers or of a module computes in {Precision.Float32} only.",
                nameof(Precision));
        }
    }

    private void OnlyFor(string option, double value, OptimizerAlgorithm algorithm)
    {
        if (value != 0 && Optimizer != algorithm)
            throw new ArgumentException($"{option} is {value}, but {nameof(Optimizer)} is {Optimizer}; it works with {algorithm} only.",
                option);
    }
}
