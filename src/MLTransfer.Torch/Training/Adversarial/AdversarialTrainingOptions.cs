namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>How a StyleGAN2 is fine-tuned. Amounts are counted in real images shown, as the papers do; defaults are for transfer to few images.</summary>
public sealed record AdversarialTrainingOptions : TrainingOptions
{
    /// <summary>Real images shown in all, each as often as it takes.</summary>
    public long TotalImages { get; init; } = 100_000;

    /// <summary>Images of one update. A multiple of the discriminator's <see cref="Networks.StyleGan2.StyleGan2Discriminator.GroupSize"/>, or less than it.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Adam's learning rate, of both networks.</summary>
    public double LearningRate { get; init; } = 0.002;

    /// <summary>Whether half of the real images are shown as in a mirror.</summary>
    public bool MirrorImages { get; init; } = true;

    /// <summary>gamma of the R1 penalty (arXiv 1801.04406); null for 0.0002 x resolution^2 / <see cref="BatchSize"/>, the rule of arXiv 2006.06676.</summary>
    public double? GradientPenaltyWeight { get; init; }

    /// <summary>Updates of the discriminator for each one by the R1 penalty (lazy regularization, arXiv 1912.04958, section 3.1); 0 for none.</summary>
    public int GradientPenaltyInterval { get; init; } = 16;

    /// <summary>The weight of path length regularization (arXiv 1912.04958, section 3.2).</summary>
    public double PathLengthWeight { get; init; } = 2;

    /// <summary>Updates of the generator for each one by path length regularization, which takes half a batch; 0 for none.</summary>
    public int PathLengthInterval { get; init; } = 4;

    /// <summary>The probability that an image is made with two styles (arXiv 1812.04948, section 3.1).</summary>
    public double StyleMixingProbability { get; init; } = 0.9;

    /// <summary>The images after which a weight counts half in the generator's running mean, which is the model that training gives.</summary>
    public double AverageHalfLife { get; init; } = 10_000;

    /// <summary>The half-life is at most this share of the images shown so far, so that the mean follows from the start; 0 for no such limit.</summary>
    public double AverageRampUp { get; init; } = 0.05;

    /// <summary>Which augmentations there are of what the discriminator sees.</summary>
    public AugmentationGroups Augmentations { get; init; } = AugmentationGroups.All;

    /// <summary>The probability that an augmentation is applied to what the discriminator sees (arXiv 2006.06676), at the start.</summary>
    public double AugmentationProbability { get; init; }

    /// <summary>
    /// r_t, the mean sign of the discriminator's logits of real images, above which it is taken to overfit: the augmentation probability rises
    /// above, and falls below.
    /// </summary>
    public double AugmentationTarget { get; init; } = 0.6;

    /// <summary>
    /// The images in which the augmentation probability goes from 0 to 1 at the fastest; 0 for a probability that stays. The paper has 500,000.
    /// </summary>
    public long AugmentationRampImages { get; init; } = 100_000;

    /// <summary>How many of the discriminator's blocks, from the highest resolution on, stay as they are (FreezeD, arXiv 2002.10964).</summary>
    public int FrozenDiscriminatorBlocks { get; init; }

    /// <summary>How many of the generator's synthesis blocks, from 4x4 on, stay as they are.</summary>
    public int FrozenSynthesisBlocks { get; init; }

    /// <summary>Whether the generator's mapping network stays as it is.</summary>
    public bool FreezeMapping { get; init; }

    /// <summary>
    /// The number format of features. Weights, styles, images, losses and the optimizer are float32 in any case. <see cref="Precision.Float32"/> gives the numbers of
    /// a reference in float32.
    /// </summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>
    /// Where checkpoints, sample grids, <c>metrics.jsonl</c> and <c>loss.png</c> go; null for none of them. A folder belongs to one run: without
    /// <see cref="Resume"/>, a new run begins by deleting those files of the run before.
    /// </summary>
    public string? OutputDirectory { get; init; }

    /// <summary>Images between two grids of samples, <c>samples-N.png</c>; 0 for none. The start and the end get one too.</summary>
    public long SampleImages { get; init; }

    /// <summary>How many images a grid has.</summary>
    public int SampleCount { get; init; } = 32;

    /// <summary>Images between two checkpoints; 0 for none. The end gets one too.</summary>
    public long CheckpointImages { get; init; }

    /// <summary>How many checkpoints are kept, the newest; 0 for all.</summary>
    public int CheckpointLimit { get; init; }

    /// <summary>Images between two measurements of the distances to the real images; 0 for one at the end. Needs a feature extractor.</summary>
    public long EvaluationImages { get; init; }

    /// <summary>How many images are made for a measurement.</summary>
    public int EvaluationCount { get; init; } = 1_000;

    /// <summary>Go on from the newest checkpoint in <see cref="OutputDirectory"/> where there is one. Images, options and model must be the same.</summary>
    public bool Resume { get; init; }

    internal override void Check()
    {
        AtLeast(nameof(TotalImages), TotalImages, 1);
        AtLeast(nameof(BatchSize), BatchSize, 1);
        AtLeast(nameof(GradientPenaltyInterval), GradientPenaltyInterval, 0);
        AtLeast(nameof(PathLengthInterval), PathLengthInterval, 0);
        AtLeast(nameof(AugmentationRampImages), AugmentationRampImages, 0);
        AtLeast(nameof(FrozenDiscriminatorBlocks), FrozenDiscriminatorBlocks, 0);
        AtLeast(nameof(FrozenSynthesisBlocks), FrozenSynthesisBlocks, 0);
        AtLeast(nameof(SampleImages), SampleImages, 0);
        AtLeast(nameof(SampleCount), SampleCount, 1);
        AtLeast(nameof(CheckpointImages), CheckpointImages, 0);
        AtLeast(nameof(CheckpointLimit), CheckpointLimit, 0);
        AtLeast(nameof(EvaluationImages), EvaluationImages, 0);
        AtLeast(nameof(EvaluationCount), EvaluationCount, 2);
        Between(nameof(LearningRate), LearningRate, 0, double.MaxValue);
        Between(nameof(GradientPenaltyWeight), GradientPenaltyWeight ?? 0, 0, double.MaxValue);
        Between(nameof(PathLengthWeight), PathLengthWeight, 0, double.MaxValue);
        Between(nameof(StyleMixingProbability), StyleMixingProbability, 0, 1);
        Between(nameof(AverageHalfLife), AverageHalfLife, 0, double.MaxValue);
        Between(nameof(AverageRampUp), AverageRampUp, 0, double.MaxValue);
        Between(nameof(AugmentationProbability), AugmentationProbability, 0, 1);
        Between(nameof(AugmentationTarget), AugmentationTarget, -1, 1);
        if ((Augmentations & ~AugmentationGroups.All) != 0)
            throw new ArgumentOutOfRangeException(nameof(Augmentations), Augmentations, "Unknown augmentation.");
        if (!Enum.IsDefined(Precision))
            throw new ArgumentOutOfRangeException(nameof(Precision), Precision, "Unknown precision.");
        if (OutputDirectory is not null && string.IsNullOrWhiteSpace(OutputDirectory))
            throw new ArgumentException($"{nameof(OutputDirectory)} is empty; expected a folder, or null for no files.", nameof(OutputDirectory));
        if (OutputDirectory is null && (CheckpointImages > 0 || SampleImages > 0 || Resume))
        {
            var option = Resume ? nameof(Resume) : CheckpointImages > 0 ? nameof(CheckpointImages) : nameof(SampleImages);
            throw new ArgumentException($"{option} needs {nameof(OutputDirectory)}, the folder of the files.", nameof(OutputDirectory));
        }

        static void AtLeast(string name, long value, long minimum)
        {
            if (value < minimum)
                throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {minimum}.");
        }

        static void Between(string name, double value, double minimum, double maximum)
        {
            if (!(value >= minimum && value <= maximum))
                throw new ArgumentOutOfRangeException(name, value, maximum == double.MaxValue
                    ? $"{name} must be a finite number that is not negative." : $"{name} must be from {minimum} to {maximum}.");
        }
    }
}
