using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Images;
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
    /// on; or the folder or hub id of a network that reads captions and writes codes of pictures: a DALL-E or a DALL-E mini.
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
    /// How the network is trained, of the kind that it takes: <see cref="AdversarialTrainingOptions"/> for a StyleGAN2,
    /// <see cref="TextToImageTrainingOptions"/> for a network that writes codes. Null for the defaults of that kind. Its seed stays as it
    /// is: <see cref="GenerateImagesOptions.Seed"/> decides. In its <see cref="TrainingOptions.OutputDirectory"/> the codes of pictures are
    /// kept too, in the folder <c>codes</c>, so that a further run need not make them again.
    /// </summary>
    public TrainingOptions? Training;

    /// <summary>
    /// What low-rank adapters of a network that writes codes look like, by which it is trained unless <see cref="AllWeights"/> says
    /// otherwise; null for <see cref="LoraOptions"/> as they are by default.
    /// </summary>
    public LoraOptions? Lora;

    /// <summary>Whether all weights of a network that writes codes are trained in place of adapters; its codec stays as it is.</summary>
    public bool AllWeights;

    /// <summary>
    /// Words that captions have and a network that writes codes does not know yet. Those that its tokenizer has no token for become tokens
    /// of it, found where they stand alone, with rows of their own in the network, which start from the mean of the word's pieces. The rows
    /// of all these words' tokens are trained beside the adapters; those of others stay as they are. Null for none.
    /// </summary>
    public IReadOnlyList<string>? TrainedWords;

    /// <summary>
    /// The share of the data that is held out for evaluation of a network that writes codes: its last rows, at least one of them where
    /// there are two. 0 holds nothing out. Ignored where <see cref="ValidationData"/> is given, and by a StyleGAN2.
    /// </summary>
    public double ValidationFraction = 0.1;

    /// <summary>
    /// Rows for evaluation of a network that writes codes, with the columns that training reads; null to take a share of the training
    /// data. They do not go through the estimators before this one.
    /// </summary>
    public IDataView? ValidationData;

    /// <summary>
    /// Save the adapters of a network that writes codes alone, with the id and the SHA-256 of the model that they belong to. Loading then
    /// needs that model.
    /// </summary>
    public bool SaveAdapterOnly;

    /// <summary>
    /// The network whose features tell how far made pictures are from the training images; null for no such measurements. Stays the
    /// caller's.
    /// </summary>
    public IImageFeatureExtractor? FeatureExtractor;

    /// <summary>Told after every update of a StyleGAN2, on the thread that trains; null for nobody.</summary>
    public IProgress<StyleGan2Progress>? Progress;

    /// <summary>
    /// Told after every step and evaluation of a network of either kind, a <see cref="StyleGan2Progress"/> or a
    /// <see cref="TextToImageProgress"/>, on the thread that trains; null for nobody.
    /// </summary>
    public IProgress<RunProgress>? RunProgress;

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

        Lora?.Check();
        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        if (TrainedWords?.Any(string.IsNullOrWhiteSpace) == true)
            throw new ArgumentException($"{nameof(TrainedWords)} holds a blank text; expected words.", nameof(TrainedWords));
        if (AllWeights && (Lora is not null || SaveAdapterOnly || TrainedWords is not null))
        {
            var other = Lora is not null ? nameof(Lora) : SaveAdapterOnly ? nameof(SaveAdapterOnly) : nameof(TrainedWords);
            throw new ArgumentException(
                $"{other} is for adapters, and {nameof(AllWeights)} trains weights in place of them. Leave one of them out.",
                nameof(AllWeights));
        }

        if (Training is EpochTrainingOptions { EarlyStoppingPatience: > 0 } && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(EpochTrainingOptions.EarlyStoppingPatience)} needs {nameof(ValidationData)} or a {nameof(ValidationFraction)} "
                + "above 0.", nameof(EpochTrainingOptions.EarlyStoppingPatience));
        }
    }

    internal override void CheckFor(StyleGan2Generator generator)
    {
        base.CheckFor(generator);
        RefuseForStyleGan2(Lora is not null, nameof(Lora));
        RefuseForStyleGan2(AllWeights, nameof(AllWeights));
        RefuseForStyleGan2(TrainedWords is not null, nameof(TrainedWords));
        RefuseForStyleGan2(ValidationData is not null, nameof(ValidationData));
        RefuseForStyleGan2(SaveAdapterOnly, nameof(SaveAdapterOnly));
    }

    internal override void CheckFor(TextToImageModel network, TextTokenizer? tokenizer)
    {
        base.CheckFor(network, tokenizer);
        if (FeatureExtractor is not null || Progress is not null)
        {
            var option = FeatureExtractor is not null ? nameof(FeatureExtractor) : nameof(Progress);
            throw new ArgumentException(
                $"{option} is for a StyleGAN2; the model is a {network.GetName()}. Leave it out"
                + (option == nameof(Progress) ? $", and set {nameof(RunProgress)}." : "."), option);
        }

        if (TrainedWords is not null && tokenizer is null)
        {
            throw new ArgumentException(
                $"{nameof(TrainedWords)} are words of captions, but the folder of the {network.GetName()} has no tokenizer.",
                nameof(tokenizer));
        }
    }
}
