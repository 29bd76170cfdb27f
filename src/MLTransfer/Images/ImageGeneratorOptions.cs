using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>
/// How <see cref="ImageGeneratorEstimator"/> fine-tunes an image generator. <see cref="GenerateImagesOptions.Seed"/> also decides the order
/// of images, latent vectors, noise and augmentations of training.
/// </summary>
public sealed class ImageGeneratorOptions : GenerateImagesOptions
{
    /// <summary>
    /// What training starts from: <see cref="PretrainedModels.Shapes"/>, a folder with <c>config.json</c>, <c>generator.safetensors</c> and
    /// <c>discriminator.safetensors</c>, such as a checkpoint of an earlier run, or a model zip with an image generator, which is trained
    /// on.
    /// </summary>
    /// <remarks>
    /// A model without labels becomes one with them where <see cref="GenerateImagesOptions.LabelColumnName"/> is set: it gets as many
    /// classes as the column has. What reads labels is new, drawn from the seed as in a new model; all else is taken over.
    /// </remarks>
    public string PretrainedModel = PretrainedModels.Shapes;

    /// <summary>
    /// A loaded model or chain whose image generator is trained on, in place of <see cref="PretrainedModel"/>; null for that. It stays as
    /// it is: its weights are copied.
    /// </summary>
    public ITransformer? BaseModel;

    /// <summary>
    /// How the network is trained, of the kind that it takes: <see cref="AdversarialTrainingOptions"/> for a StyleGAN2. Null for the
    /// defaults of that kind. Its seed stays as it is: <see cref="GenerateImagesOptions.Seed"/> decides.
    /// </summary>
    public TrainingOptions? Training;

    /// <summary>
    /// The network whose features tell how far made pictures are from the training images; null for no such measurements. Stays the
    /// caller's.
    /// </summary>
    public IImageFeatureExtractor? FeatureExtractor;

    /// <summary>Told after every update, on the thread that trains; null for nobody.</summary>
    public IProgress<StyleGan2Progress>? Progress;

    /// <summary>Stops training: it throws <see cref="OperationCanceledException"/>, which says what is kept.</summary>
    public CancellationToken CancellationToken;

    /// <summary>
    /// Ends training after the step that is being done and keeps what was learned: <c>Fit</c> returns its transformer, with a last
    /// evaluation, the weights that the options keep and, where there are checkpoints, one that a later run resumes from.
    /// <see cref="CancellationToken"/> throws instead.
    /// </summary>
    public CancellationToken StopAndKeep;

    internal override void Check()
    {
        base.Check();
        if (Training is not null)
            OptionCheck.Training(Training);
        if (string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"{nameof(PretrainedModel)} must be a folder, a model zip or {nameof(PretrainedModels)}.{nameof(PretrainedModels.Shapes)}.",
                nameof(PretrainedModel));
        }

        if (BaseModel is not null)
            OptionCheck.OneBase(nameof(BaseModel), isOnly: true, PretrainedModel, PretrainedModels.Shapes);
        if (Training is AdversarialTrainingOptions { EvaluationImages: > 0 } && FeatureExtractor is null)
        {
            throw new ArgumentException(
                $"{nameof(AdversarialTrainingOptions.EvaluationImages)} needs {nameof(FeatureExtractor)}.",
                nameof(AdversarialTrainingOptions.EvaluationImages));
        }
    }
}
