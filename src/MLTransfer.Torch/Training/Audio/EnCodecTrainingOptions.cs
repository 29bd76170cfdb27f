using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>How an <see cref="EnCodecModel"/> is trained; defaults follow arXiv 2210.13438.</summary>
/// <remarks>
/// <see cref="TrainingOptions.LearningRate"/> is 3e-4 and stays (<see cref="EpochTrainingOptions.LearningRateSchedule"/> is constant),
/// <see cref="TrainingOptions.BatchSize"/> is 16, <see cref="EpochTrainingOptions.NumberOfEpochs"/> 100 and
/// <see cref="EpochTrainingOptions.MaximumGradientNorm"/> 0, since balanced gradients have a norm of their own.
/// <see cref="TrainingOptions.Precision"/> is float32, the only one that codecs compute in. A row is a segment of a sound.
/// </remarks>
public sealed record EnCodecTrainingOptions : EpochTrainingOptions
{
    /// <summary>The defaults.</summary>
    public EnCodecTrainingOptions()
    {
        (LearningRate, BatchSize, NumberOfEpochs) = (3e-4, 16, 100);
        (LearningRateSchedule, MaximumGradientNorm, Precision) = (LearningRateSchedule.Constant, 0, Precision.Float32);
    }

    /// <summary>Seconds of sound in a row, cut out at random; shorter sounds are followed by silence.</summary>
    public double SegmentSeconds { get; init; } = 1;

    /// <summary>The weight of the mean absolute difference of samples.</summary>
    public double WaveformWeight { get; init; } = 0.1;

    /// <summary>The weight of the difference of mel spectrograms at several resolutions.</summary>
    public double MelWeight { get; init; } = 1;

    /// <summary>The weight of the squared distance from what is quantized to its codewords, which alone is not balanced.</summary>
    public double CommitmentWeight { get; init; } = 1;

    /// <summary>
    /// Whether the gradient of each loss by the decoded sounds is scaled so that its weight is its share of the whole gradient, whatever
    /// its natural size (section 3.4, "Balancer"); else losses are summed.
    /// </summary>
    public bool BalanceGradients { get; init; } = true;

    /// <summary>Whether each step is of a bandwidth drawn from the codec's, so that it can be used at all of them; else of the
    /// last.</summary>
    public bool DrawBandwidths { get; init; } = true;

    /// <summary>How much of the running means that codewords follow stays in a step; the paper, whose steps are larger, has 0.99.</summary>
    public double CodebookDecay { get; init; } = 0.95;

    /// <summary>
    /// A codeword that is used less than this share of even use is replaced by a vector of the batch; 0 for never.
    /// </summary>
    public double DeadCodeShare { get; init; } = 0.3;

    /// <summary>Rounds of k-means that codewords of a new codec start with.</summary>
    public int ClusteringRounds { get; init; } = 50;

    /// <summary>What the codec is trained against beside its losses; null for nothing.</summary>
    public CodecDiscriminatorOptions? Discriminator { get; init; }

    /// <summary>
    /// So many sounds, the first of the validation sounds (of the training sounds where there are none), that are encoded and decoded
    /// before
    /// the first step and at each evaluation; they go to the progress, to the folder <c>answers</c> and to <c>run.html</c>.
    /// </summary>
    public int SampleSounds { get; init; }

    internal override AdamCoefficients Adam => AdamCoefficients.Usual with { Beta1 = 0.5, Beta2 = 0.9 };

    internal override IEnumerable<string> IrrelevantToWeights => base.IrrelevantToWeights.Append(nameof(SampleSounds));

    internal override void Check()
    {
        base.Check();
        OptionRange.Positive(nameof(SegmentSeconds), SegmentSeconds);
        OptionRange.NotNegative(nameof(WaveformWeight), WaveformWeight);
        OptionRange.NotNegative(nameof(MelWeight), MelWeight);
        OptionRange.NotNegative(nameof(CommitmentWeight), CommitmentWeight);
        OptionRange.FromZeroToLessThanOne(nameof(CodebookDecay), CodebookDecay);
        OptionRange.FromZeroToLessThanOne(nameof(DeadCodeShare), DeadCodeShare);
        OptionRange.AtLeast(nameof(ClusteringRounds), ClusteringRounds, 0);
        OptionRange.AtLeast(nameof(SampleSounds), SampleSounds, 0);
        if (Precision != Precision.Float32)
        {
            throw new ArgumentException(
                $"{nameof(Precision)} is {Precision}; codecs of sounds compute in {Precision.Float32} only.", nameof(Precision));
        }
    }
}
