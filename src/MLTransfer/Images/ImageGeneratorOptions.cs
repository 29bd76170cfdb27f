using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;

namespace MLTransfer.Images;

/// <summary>
/// How <see cref="ImageGeneratorEstimator"/> fine-tunes an image generator. Amounts are counted in images shown, as the papers do (1,000 are the
/// <c>kimg</c> of the authors' programs); defaults are for transfer to few images. <see cref="GenerateImagesOptions.Seed"/> also decides the order of images,
/// latent vectors, noise and augmentations of training.
/// </summary>
public sealed class ImageGeneratorOptions : GenerateImagesOptions
{
    /// <summary>
    /// What training starts from: <see cref="PretrainedModels.Shapes"/>, or a folder with <c>config.json</c>, <c>generator.safetensors</c> and
    /// <c>discriminator.safetensors</c>, such as a checkpoint of an earlier run.
    /// </summary>
    public string PretrainedModel = PretrainedModels.Shapes;

    /// <summary>Images shown in all, each as often as it takes (<c>--kimg</c>, times 1,000).</summary>
    public long TotalImages = 100_000;

    /// <summary>Images of one update of both networks; a multiple of the discriminator's group of 4, or less than it (<c>--batch</c>).</summary>
    public int BatchSize = 8;

    /// <summary>Adam's learning rate for both networks.</summary>
    public double LearningRate = 0.002;

    /// <summary>Whether half of the images are shown as in a mirror (<c>--mirror</c>).</summary>
    public bool MirrorImages = true;

    /// <summary>
    /// gamma of the R1 penalty on the discriminator (<c>--gamma</c>); null for 0.0002 x resolution^2 / <see cref="BatchSize"/>. A larger one keeps training
    /// stable, a smaller one makes it faster.
    /// </summary>
    public double? GradientPenaltyWeight;

    /// <summary>The probability that an image is made with two styles.</summary>
    public double StyleMixingProbability = 0.9;

    /// <summary>The weight of path length regularization; 0 saves the time that it takes.</summary>
    public double PathLengthWeight = 2;

    /// <summary>The images after which a weight counts half in the running mean that is the trained generator.</summary>
    public double AverageHalfLife = 10_000;

    /// <summary>Which augmentations there are of what the discriminator sees (<c>--augpipe</c>).</summary>
    public AugmentationGroups Augmentations = AugmentationGroups.All;

    /// <summary>
    /// How often the sign of the discriminator's logits of real images may be positive before it is taken to overfit, from -1 to 1: the probability of
    /// augmentations rises above (ADA, arXiv 2006.06676, <c>--target</c>).
    /// </summary>
    public double AugmentationTarget = 0.6;

    /// <summary>The probability of augmentations at the start.</summary>
    public double AugmentationProbability;

    /// <summary>The images in which that probability goes from 0 to 1 at the fastest; 0 leaves it as it is.</summary>
    public long AugmentationRampImages = 100_000;

    /// <summary>How many of the discriminator's blocks, from the highest resolution on, stay as they are (FreezeD, arXiv 2002.10964, <c>--freezed</c>).</summary>
    public int FrozenDiscriminatorBlocks;

    /// <summary>How many of the generator's blocks, from 4x4 on, stay as they are: composition stays, looks change.</summary>
    public int FrozenSynthesisBlocks;

    /// <summary>Whether the network from latent vectors to styles stays as it is.</summary>
    public bool FreezeMapping;

    /// <summary>The number format of features in training. <see cref="Precision.Float32"/> gives the numbers of a reference in float32.</summary>
    public Precision Precision = Precision.Auto;

    /// <summary>Where checkpoints, sample grids, <c>metrics.jsonl</c> and <c>loss.png</c> go; null for none of them (<c>--outdir</c>).</summary>
    public string? OutputDirectory;

    /// <summary>Images between two grids of samples, <c>samples-N.png</c>; 0 for none. Needs <see cref="OutputDirectory"/>.</summary>
    public long SampleImages;

    /// <summary>How many pictures a grid has.</summary>
    public int SampleCount = 32;

    /// <summary>Images between two checkpoints; 0 for none (<c>--snap</c>). Needs <see cref="OutputDirectory"/>.</summary>
    public long CheckpointImages;

    /// <summary>How many checkpoints are kept, the newest; 0 for all.</summary>
    public int CheckpointLimit;

    /// <summary>Go on from the newest checkpoint in <see cref="OutputDirectory"/> where there is one (<c>--resume</c>).</summary>
    public bool Resume;

    /// <summary>
    /// The network whose features tell how far made pictures are from the training images; null for no such measurements. Stays the caller's.
    /// </summary>
    public IImageFeatureExtractor? FeatureExtractor;

    /// <summary>Images between two measurements with <see cref="FeatureExtractor"/>; 0 for one at the end.</summary>
    public long EvaluationImages;

    /// <summary>How many pictures are made for a measurement.</summary>
    public int EvaluationCount = 1_000;

    /// <summary>Told after every update, on the thread that trains; null for nobody.</summary>
    public IProgress<StyleGan2Progress>? Progress;

    /// <summary>Stops training.</summary>
    public CancellationToken CancellationToken;

    /// <summary>What the trainer is told: the one place where options are mapped.</summary>
    internal AdversarialTrainingOptions ToTrainingOptions(long seed) => new()
    {
        TotalImages = TotalImages,
        BatchSize = BatchSize,
        LearningRate = LearningRate,
        MirrorImages = MirrorImages,
        GradientPenaltyWeight = GradientPenaltyWeight,
        StyleMixingProbability = StyleMixingProbability,
        PathLengthWeight = PathLengthWeight,
        PathLengthInterval = PathLengthWeight == 0 ? 0 : new AdversarialTrainingOptions().PathLengthInterval,
        AverageHalfLife = AverageHalfLife,
        Augmentations = Augmentations,
        AugmentationTarget = AugmentationTarget,
        AugmentationProbability = AugmentationProbability,
        AugmentationRampImages = AugmentationRampImages,
        FrozenDiscriminatorBlocks = FrozenDiscriminatorBlocks,
        FrozenSynthesisBlocks = FrozenSynthesisBlocks,
        FreezeMapping = FreezeMapping,
        Precision = Precision,
        Seed = seed,
        OutputDirectory = OutputDirectory,
        SampleImages = SampleImages,
        SampleCount = SampleCount,
        CheckpointImages = CheckpointImages,
        CheckpointLimit = CheckpointLimit,
        Resume = Resume,
        EvaluationImages = EvaluationImages,
        EvaluationCount = EvaluationCount,
    };

    internal override void Check()
    {
        base.Check();
        ToTrainingOptions(0).Check();
        if (string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"{nameof(PretrainedModel)} must be a folder or {nameof(PretrainedModels)}.{nameof(PretrainedModels.Shapes)}.", nameof(PretrainedModel));
        }

        if (EvaluationImages > 0 && FeatureExtractor is null)
            throw new ArgumentException($"{nameof(EvaluationImages)} needs {nameof(FeatureExtractor)}.", nameof(EvaluationImages));
    }
}
