using System.Text.Json.Serialization;
using MLTransfer.Torch.Training.Optimizers;

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
        (Precision, Seed, Optimizer) = (Precision.Float32, 0, OptimizerAlgorithm.Adam);
    }

    /// <summary>What is made small.</summary>
    [JsonPropertyOrder(-4)] // as saved runs have always had it
    public TrainingLoss Loss { get; init; } = TrainingLoss.MeanSquaredError;

    /// <summary>
    /// The share of the last step that the next one keeps, from 0 to less than 1; for stochastic gradient descent only, of which
    /// <see cref="StochasticGradientDescentOptions"/> has more.
    /// </summary>
    [JsonPropertyOrder(-2)]
    public double Momentum { get; init; }

    /// <summary>
    /// The share of a weight that is removed, times the learning rate; vectors such as biases are spared. Not for Adam.
    /// </summary>
    [JsonPropertyOrder(-1)]
    public double WeightDecay { get; init; }

    /// <summary>
    /// So many rows, the first of the validation rows (of the training rows where there are none), whose outputs are told before the first
    /// step and at each evaluation; they go to the progress, to <c>answers.jsonl</c> and <c>run.html</c>.
    /// </summary>
    public int SampleRows { get; init; }

    internal override double Decay => WeightDecay;

    internal override StochasticGradientDescentOptions Gradients =>
        OptimizerOptions is null ? new() { Momentum = Momentum } : base.Gradients;

    internal override IEnumerable<string> IrrelevantToWeights => base.IrrelevantToWeights.Append(nameof(SampleRows));

    private protected override IEnumerable<string> SwitchedOff => base.SwitchedOff.Except([nameof(Optimizer)]);

    internal override void Check()
    {
        base.Check();
        OptionRange.AtLeast(nameof(SampleRows), SampleRows, 0);
        OptionRange.Defined(nameof(Loss), Loss);
        OptionRange.Positive(nameof(LearningRate), LearningRate);
        OptionRange.FromZeroToLessThanOne(nameof(Momentum), Momentum);
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        if (Momentum != 0 && (Optimizer != OptimizerAlgorithm.StochasticGradientDescent || OptimizerOptions is not null))
        {
            throw new ArgumentException(
                $"{nameof(Momentum)} is {Momentum}, but {nameof(Optimizer)} is {Optimizer}; it works with "
                + $"{OptimizerAlgorithm.StochasticGradientDescent} without {nameof(OptimizerOptions)} only.", nameof(Momentum));
        }

        if (Precision != Precision.Float32)
        {
            throw new ArgumentException(
                $"{nameof(Precision)} is {Precision}; a network of described layers or of a module computes in {Precision.Float32} only.",
                nameof(Precision));
        }
    }
}
