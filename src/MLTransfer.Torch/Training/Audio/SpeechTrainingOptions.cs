using System.Text.Json.Serialization;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// How a VITS is fine-tuned. Defaults are those of arXiv 2106.06103: <see cref="TrainingOptions.LearningRate"/> 2e-4, which falls by
/// <see cref="LearningRateDecay"/> an epoch and by no other schedule, no clipping of gradients, weight decay
/// 0.01 of all parameters, betas 0.8 and 0.99, epsilon 1e-9; but for
/// <see cref="EpochTrainingOptions.NumberOfEpochs"/>, 20, and <see cref="TrainingOptions.BatchSize"/>, 8, which are for transfer to few
/// sounds.
/// </summary>
/// <remarks>
/// <see cref="TrainingOptions.Precision"/> is <see cref="Precision.Float32"/>. What is frozen of the network stays frozen; where it has
/// adapters, they are trained.
/// </remarks>
public sealed record SpeechTrainingOptions : AdamWTrainingOptions
{
    /// <summary>The defaults.</summary>
    public SpeechTrainingOptions()
    {
        (LearningRate, LearningRateSchedule, MaximumGradientNorm) = (2e-4, LearningRateSchedule.Constant, 0);
        (NumberOfEpochs, Precision) = (20, Precision.Float32);
        (WeightDecay, AdamBeta1, AdamBeta2, AdamEpsilon) = (0.01, 0.8, 0.99, 1e-9);
    }

    /// <summary>What the learning rate is multiplied with after each epoch (<c>lr_decay</c>).</summary>
    [JsonPropertyOrder(-2)] // as saved runs have always had it
    public double LearningRateDecay { get; init; } = 0.999875;

    /// <summary>
    /// Samples of the piece of each sound that is decoded in a step, a multiple of the network's frame. A shorter sound is followed by
    /// silence.
    /// </summary>
    public int SegmentSize { get; init; } = 8192;

    /// <summary>Samples of the window of a spectrogram's frame; null for all that its bins need.</summary>
    public int? WindowSize { get; init; }

    /// <summary>Mel bands that made sounds are compared by.</summary>
    public int MelBands { get; init; } = 80;

    /// <summary>Where the first mel band begins, in hertz.</summary>
    public double LowestFrequency { get; init; }

    /// <summary>Where the last mel band ends, in hertz; null for half the rate.</summary>
    public double? HighestFrequency { get; init; }

    /// <summary>The weight of the loss on mel spectrograms.</summary>
    public double MelWeight { get; init; } = 45;

    /// <summary>The weight of the divergence of the posterior from the prior.</summary>
    public double DivergenceWeight { get; init; } = 1;

    /// <summary>The weight of the loss on durations.</summary>
    public double DurationWeight { get; init; } = 1;

    /// <summary>The weight of the distance between discriminators' feature maps.</summary>
    public double FeatureWeight { get; init; } = 2;

    /// <summary>The weight of the loss that discriminators make.</summary>
    public double AdversarialWeight { get; init; } = 1;

    /// <summary>
    /// The width of a discriminator that is made new, where the network has none: feature maps of a period's first layer, a multiple of 8.
    /// </summary>
    public int DiscriminatorWidth { get; init; } = SpeechDiscriminator.UsualWidth;

    /// <summary>
    /// Steps before the discriminator begins to learn and to be heard; 0 as in the paper. A new network learns faster without one at first,
    /// and its steps take about half as long.
    /// </summary>
    public int FirstAdversarialStep { get; init; }

    /// <summary>
    /// Whether the weights of the decoder's upsamplings and residual blocks are trained as lengths and directions (weight normalization);
    /// they are saved as weights in any case. Beside adapters they are trained as they are.
    /// </summary>
    public bool NormalizeDecoder { get; init; } = true;

    /// <summary>
    /// The share of the network's weights that stays at each step where it is the running mean of those that are trained, such as 0.999; 0
    /// for the trained weights themselves.
    /// </summary>
    public double AverageDecay { get; init; }

    /// <summary>
    /// Whether every epoch goes through rows of similar length together, so that little of a batch is padding: in random order, sorted by
    /// length within blocks of 50 steps, the longest row of all first. Needs <see cref="EpochTrainingOptions.Shuffle"/>.
    /// </summary>
    public bool GroupByLength { get; init; } = true;

    /// <summary>
    /// Texts that the network speaks before the first step and at each evaluation, or where there are no validation rows as often; the
    /// sounds go to the progress, to the folder <c>answers</c> and <c>run.html</c>. They do not change what is trained.
    /// </summary>
    public IReadOnlyList<SpeechRequest> SampleTexts { get; init; } = [];

    /// <summary>
    /// How <see cref="SampleTexts"/> are spoken; null for the defaults. Where it has no seed, <see cref="TrainingOptions.Seed"/> decides
    /// what is drawn.
    /// </summary>
    public SpeechOptions? SampleSpeech { get; init; }

    internal override IEnumerable<string> IrrelevantToWeights =>
        base.IrrelevantToWeights.Concat([nameof(SampleTexts), nameof(SampleSpeech)]);

    internal override void Check()
    {
        base.Check();
        if (Optimizer == OptimizerAlgorithm.ScheduleFreeAdamW)
        {
            throw new ArgumentException(
                $"{nameof(Optimizer)} is {Optimizer}, whose mean of weights a VITS's training does not know: it has the running mean of "
                + $"{nameof(AverageDecay)}. Choose another optimizer.", nameof(Optimizer));
        }

        if (OptimizerOptions is AdafactorOptions { RelativeStep: true } && LearningRateDecay != 1)
        {
            throw new ArgumentException(
                $"{nameof(LearningRateDecay)} is {LearningRateDecay}; relative steps of {Optimizer} need 1.", nameof(LearningRateDecay));
        }

        if (Precision == Precision.BFloat16)
        {
            throw new ArgumentException(
                $"{nameof(Precision)} is {Precision}; a VITS is trained in {Precision.Float32}, as its losses need.", nameof(Precision));
        }

        OptionRange.Between(nameof(LearningRateDecay), LearningRateDecay, double.Epsilon, 1);
        OptionRange.AtLeast(nameof(SegmentSize), SegmentSize, 1);
        OptionRange.AtLeast(nameof(WindowSize), WindowSize ?? 1, 1);
        OptionRange.AtLeast(nameof(MelBands), MelBands, 1);
        OptionRange.NotNegative(nameof(LowestFrequency), LowestFrequency);
        OptionRange.Positive(nameof(HighestFrequency), HighestFrequency ?? 1);
        foreach (var (name, weight) in (ReadOnlySpan<(string, double)>)[
            (nameof(MelWeight), MelWeight), (nameof(DivergenceWeight), DivergenceWeight), (nameof(DurationWeight), DurationWeight),
            (nameof(FeatureWeight), FeatureWeight), (nameof(AdversarialWeight), AdversarialWeight)])
        {
            OptionRange.NotNegative(name, weight);
        }

        if (DiscriminatorWidth is < 8 or > 256 || DiscriminatorWidth % 8 != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(DiscriminatorWidth), DiscriminatorWidth, $"{nameof(DiscriminatorWidth)} must be a multiple of 8 from 8 to 256.");
        }

        OptionRange.AtLeast(nameof(FirstAdversarialStep), FirstAdversarialStep, 0);
        OptionRange.FromZeroToLessThanOne(nameof(AverageDecay), AverageDecay);
        if (GroupByLength && !Shuffle)
        {
            throw new ArgumentException(
                $"{nameof(GroupByLength)} makes a random order of its own; it needs {nameof(Shuffle)}.", nameof(GroupByLength));
        }

        ArgumentNullException.ThrowIfNull(SampleTexts);
        if (SampleTexts.Any(request => request?.Text is null))
            throw new ArgumentException($"{nameof(SampleTexts)} holds a null; expected texts.", nameof(SampleTexts));
        SampleSpeech?.Check();
    }
}
