using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Images;

/// <summary>How a <see cref="DiscreteVaeModel"/> is trained; defaults follow arXiv 2102.12092, appendix A.</summary>
/// <remarks>
/// <see cref="TrainingOptions.LearningRate"/> is 1e-3, which falls along half a cosine wave
/// (<see cref="EpochTrainingOptions.LearningRateSchedule"/>) to <see cref="FinalLearningRate"/>; <see cref="TrainingOptions.BatchSize"/> is
/// 32, <see cref="EpochTrainingOptions.NumberOfEpochs"/> 100, <see cref="EpochTrainingOptions.MaximumGradientNorm"/> 0.
/// <see cref="TrainingOptions.Precision"/> is float32, the only one that codecs compute in. What is null is as the checkpoint says it was
/// trained (dalle-pytorch's <c>hparams</c>), else as the paper has it.
/// </remarks>
public sealed record DiscreteVaeTrainingOptions : EpochTrainingOptions
{
    /// <summary>The defaults.</summary>
    public DiscreteVaeTrainingOptions()
    {
        (LearningRate, BatchSize, NumberOfEpochs) = (1e-3, 32, 100);
        (LearningRateSchedule, MaximumGradientNorm, Precision) = (LearningRateSchedule.Cosine, 0, Precision.Float32);
    }

    /// <summary>The distance of pictures; null for the checkpoint's, which of DALL-E's networks is logit-Laplace.</summary>
    public ReconstructionLoss? ReconstructionLoss { get; init; }

    /// <summary>What the decoder reads; null for the checkpoint's, which of DALL-E's networks is soft.</summary>
    public CodewordRelaxation? Relaxation { get; init; }

    /// <summary>The temperature of the relaxation in the first step; null for the checkpoint's, else 1.</summary>
    public double? TemperatureStart { get; init; }

    /// <summary>The temperature at the end of its schedule; null for the checkpoint's, else 1/16.</summary>
    public double? TemperatureEnd { get; init; }

    /// <summary>Steps in which the temperature goes along half a cosine wave to its end; 0 for all.</summary>
    public int TemperatureSteps { get; init; }

    /// <summary>
    /// The weight of the divergence from even use of codewords, in the first step; null for the checkpoint's, else 0. The divergence is the
    /// mean over pictures and codes, and counts once for each code of a picture where the distance counts once for each of its values;
    /// dalle-pytorch's networks take its sum over a pass's pictures and codes.
    /// </summary>
    public double? KlWeightStart { get; init; }

    /// <summary>That weight at the end of its schedule; null for the checkpoint's, else 6.6.</summary>
    public double? KlWeightEnd { get; init; }

    /// <summary>Steps in which the weight goes along half a cosine wave to its end; 0 for all.</summary>
    public int KlWeightSteps { get; init; }

    /// <summary>The learning rate at the end of its schedule.</summary>
    public double FinalLearningRate { get; init; }

    /// <summary>Steps, warm-up included, until the learning rate is at its end; 0 for all.</summary>
    public int LearningRateSteps { get; init; }

    /// <summary>What an update takes of every weight, times the learning rate.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// So many pictures, the first of the validation pictures (of the training pictures where there are none), that are shown beside what
    /// is decoded of their codes, before the first step and at each evaluation: in the progress, the folder <c>answers</c> and
    /// <c>run.html</c>.
    /// </summary>
    public int SampleImages { get; init; }

    internal override double Decay => WeightDecay;

    internal override IEnumerable<string> IrrelevantToWeights => base.IrrelevantToWeights.Append(nameof(SampleImages));

    internal override void Check()
    {
        base.Check();
        if (ReconstructionLoss is { } loss)
            OptionRange.Defined(nameof(ReconstructionLoss), loss);
        if (Relaxation is { } relaxation)
            OptionRange.Defined(nameof(Relaxation), relaxation);
        OptionRange.Positive(nameof(TemperatureStart), TemperatureStart ?? 1);
        OptionRange.Positive(nameof(TemperatureEnd), TemperatureEnd ?? 1);
        OptionRange.AtLeast(nameof(TemperatureSteps), TemperatureSteps, 0);
        OptionRange.NotNegative(nameof(KlWeightStart), KlWeightStart ?? 0);
        OptionRange.NotNegative(nameof(KlWeightEnd), KlWeightEnd ?? 0);
        OptionRange.AtLeast(nameof(KlWeightSteps), KlWeightSteps, 0);
        OptionRange.NotNegative(nameof(FinalLearningRate), FinalLearningRate);
        OptionRange.AtLeast(nameof(LearningRateSteps), LearningRateSteps, 0);
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        OptionRange.AtLeast(nameof(SampleImages), SampleImages, 0);
        if (LearningRateSteps > 0 && Optimizer == OptimizerAlgorithm.ScheduleFreeAdamW)
        {
            throw new ArgumentException(
                $"{nameof(LearningRateSteps)} is {LearningRateSteps}, but {nameof(Optimizer)} {Optimizer} has no schedule.",
                nameof(LearningRateSteps));
        }

        if (Precision != Precision.Float32)
        {
            throw new ArgumentException(
                $"{nameof(Precision)} is {Precision}; codecs of pictures compute in {Precision.Float32} only.", nameof(Precision));
        }
    }
}
