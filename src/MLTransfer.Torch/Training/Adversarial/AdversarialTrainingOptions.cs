namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// How a StyleGAN2 is fine-tuned. Amounts are counted in real images shown, as the papers do; defaults are for transfer to few images:
/// <see cref="TrainingOptions.LearningRate"/>, of both networks' Adam, is 0.002.
/// </summary>
/// <remarks>
/// <see cref="TrainingOptions.BatchSize"/> is a multiple of the discriminator's
/// <see cref="Networks.StyleGan2.StyleGan2Discriminator.GroupSize"/>, or less than it. <see cref="TrainingOptions.Precision"/> is that of
/// features: styles, images and losses are float32 in any case. <see cref="TrainingOptions.OutputDirectory"/> gets the grids of samples
/// too.
/// </remarks>
public sealed record AdversarialTrainingOptions : TrainingOptions
{
    /// <summary>The defaults.</summary>
    public AdversarialTrainingOptions() => LearningRate = 0.002;

    /// <summary>Real images shown in all, each as often as it takes.</summary>
    public long TotalImages { get; init; } = 100_000;

    /// <summary>Whether half of the real images are shown as in a mirror.</summary>
    public bool MirrorImages { get; init; } = true;

    /// <summary>
    /// gamma of the R1 penalty (arXiv 1801.04406); null for 0.0002 x resolution^2 / <see cref="TrainingOptions.BatchSize"/>, the rule of
    /// arXiv 2006.06676.
    /// </summary>
    public double? GradientPenaltyWeight { get; init; }

    /// <summary>
    /// Updates of the discriminator for each one by the R1 penalty (lazy regularization, arXiv 1912.04958, section 3.1); 0 for none.
    /// </summary>
    public int GradientPenaltyInterval { get; init; } = 16;

    /// <summary>The weight of path length regularization (arXiv 1912.04958, section 3.2).</summary>
    public double PathLengthWeight { get; init; } = 2;

    /// <summary>Updates of the generator for each one by path length regularization, which takes half a batch; 0 for none.</summary>
    public int PathLengthInterval { get; init; } = 4;

    /// <summary>The probability that an image is made with two styles (arXiv 1812.04948, section 3.1).</summary>
    public double StyleMixingProbability { get; init; } = 0.9;

    /// <summary>
    /// The images after which a weight counts half in the generator's running mean, which is the model that training gives.
    /// </summary>
    public double AverageHalfLife { get; init; } = 10_000;

    /// <summary>
    /// The half-life is at most this share of the images shown so far, so that the mean follows from the start; 0 for no such limit.
    /// </summary>
    public double AverageRampUp { get; init; } = 0.05;

    /// <summary>Which augmentations there are of what the discriminator sees.</summary>
    public AugmentationGroups Augmentations { get; init; } = AugmentationGroups.All;

    /// <summary>The probability that an augmentation is applied to what the discriminator sees (arXiv 2006.06676), at the start.</summary>
    public double AugmentationProbability { get; init; }

    /// <summary>
    /// r_t, the mean sign of the discriminator's logits of real images, above which it is taken to overfit: the augmentation probability
    /// rises above, and falls below.
    /// </summary>
    public double AugmentationTarget { get; init; } = 0.6;

    /// <summary>
    /// The images in which the augmentation probability goes from 0 to 1 at the fastest; 0 for a probability that stays. The paper has
    /// 500,000.
    /// </summary>
    public long AugmentationRampImages { get; init; } = 100_000;

    /// <summary>
    /// How many of the discriminator's blocks, from the highest resolution on, stay as they are (FreezeD, arXiv 2002.10964).
    /// </summary>
    public int FrozenDiscriminatorBlocks { get; init; }

    /// <summary>How many of the generator's synthesis blocks, from 4x4 on, stay as they are.</summary>
    public int FrozenSynthesisBlocks { get; init; }

    /// <summary>Whether the generator's mapping network stays as it is.</summary>
    public bool FreezeMapping { get; init; }

    /// <summary>Images between two grids of samples, <c>samples-N.png</c>; 0 for none. The start and the end get one too.</summary>
    public long SampleImages { get; init; }

    /// <summary>How many images a grid has.</summary>
    public int SampleCount { get; init; } = 32;

    /// <summary>
    /// Seeds whose pictures are made before the first step, at each grid of samples (or, without grids, at each measurement), and at the
    /// end: that of seed s is from the latent vector that <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(s)</c>, of a
    /// conditional model with labels of real images. They go to the progress, to the folder <c>answers</c> and to <c>run.html</c>, and do
    /// not change what is trained.
    /// </summary>
    public IReadOnlyList<long> SampleSeeds { get; init; } = [];

    /// <summary>Images between two checkpoints; 0 for none. The end gets one too.</summary>
    public long CheckpointImages { get; init; }

    /// <summary>
    /// Images between two measurements of the distances to the real images; 0 for one at the end. Needs a feature extractor.
    /// </summary>
    public long EvaluationImages { get; init; }

    /// <summary>How many images are made for a measurement.</summary>
    public int EvaluationCount { get; init; } = 1_000;

    /// <summary>Real images of a step, those of all ranks.</summary>
    internal int ImagesPerStep => checked(BatchSize * (Collective?.Size ?? 1));

    internal override IEnumerable<string> IrrelevantToWeights =>
        [nameof(SampleImages), nameof(SampleCount), nameof(CheckpointImages), nameof(EvaluationImages), nameof(EvaluationCount),
            nameof(SampleSeeds)];

    internal override string CheckpointOption => nameof(CheckpointImages);

    private protected override IEnumerable<(string Name, bool IsSet)> FileOptions =>
        [(CheckpointOption, CheckpointImages > 0), (nameof(SampleImages), SampleImages > 0)];

    internal override void Check()
    {
        base.Check();
        OptionRange.AtLeast(nameof(TotalImages), TotalImages, 1);
        OptionRange.AtLeast(nameof(GradientPenaltyInterval), GradientPenaltyInterval, 0);
        OptionRange.AtLeast(nameof(PathLengthInterval), PathLengthInterval, 0);
        OptionRange.AtLeast(nameof(AugmentationRampImages), AugmentationRampImages, 0);
        OptionRange.AtLeast(nameof(FrozenDiscriminatorBlocks), FrozenDiscriminatorBlocks, 0);
        OptionRange.AtLeast(nameof(FrozenSynthesisBlocks), FrozenSynthesisBlocks, 0);
        OptionRange.AtLeast(nameof(SampleImages), SampleImages, 0);
        OptionRange.AtLeast(nameof(SampleCount), SampleCount, 1);
        ArgumentNullException.ThrowIfNull(SampleSeeds);
        OptionRange.AtLeast(nameof(CheckpointImages), CheckpointImages, 0);
        OptionRange.AtLeast(nameof(EvaluationImages), EvaluationImages, 0);
        OptionRange.AtLeast(nameof(EvaluationCount), EvaluationCount, 2);
        OptionRange.NotNegative(nameof(GradientPenaltyWeight), GradientPenaltyWeight ?? 0);
        OptionRange.NotNegative(nameof(PathLengthWeight), PathLengthWeight);
        OptionRange.Between(nameof(StyleMixingProbability), StyleMixingProbability, 0, 1);
        OptionRange.NotNegative(nameof(AverageHalfLife), AverageHalfLife);
        OptionRange.NotNegative(nameof(AverageRampUp), AverageRampUp);
        OptionRange.Between(nameof(AugmentationProbability), AugmentationProbability, 0, 1);
        OptionRange.Between(nameof(AugmentationTarget), AugmentationTarget, -1, 1);
        if ((Augmentations & ~AugmentationGroups.All) != 0)
            throw new ArgumentOutOfRangeException(nameof(Augmentations), Augmentations, "Unknown augmentation.");
    }
}
