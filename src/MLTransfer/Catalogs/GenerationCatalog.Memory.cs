using MLTransfer.Images;
using MLTransfer.Text;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <content>Estimates of what training takes.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>
    /// The memory that <see cref="TextGeneratorEstimator"/> takes with these options, for full batches of rows of
    /// <see cref="TextGeneratorOptions.MaximumLength"/> tokens. Nothing is trained.
    /// </summary>
    /// <param name="options">As they are given to the estimator. A hub model is downloaded where it is not in the cache yet.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the model.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public MemoryEstimate EstimateMemory(TextGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return EstimateTuning(options, network => options.MaximumLength ?? network.UsualRowLength);
    }

    /// <summary>
    /// The memory that <see cref="TextPreferenceEstimator"/> takes with these options, for full batches of pairs of texts that have
    /// <see cref="TextPreferenceOptions.MaximumLength"/> tokens with their prompts. Nothing is trained.
    /// </summary>
    /// <inheritdoc cref="EstimateMemory(TextGeneratorOptions)"/>
    public MemoryEstimate EstimateMemory(TextPreferenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return EstimateTuning(
            options, network => PairEncoder.LengthOf(new TextRowForm { MaximumLength = options.MaximumLength }, network));
    }

    /// <summary>
    /// The memory that <see cref="ImageGeneratorEstimator"/> takes with these options. Nothing is trained.
    /// </summary>
    /// <param name="options">As they are given to the estimator.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the model.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public MemoryEstimate EstimateMemory(ImageGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if ((options.BaseModel is { } loaded ? ImageNetworkKinds.Of(loaded) : ImageNetworkKinds.Of(options.PretrainedModel))
            != ImageNetworkKind.StyleGan2)
        {
            using var channel = _host.Start(nameof(EstimateMemory));
            var start = ImageBase.Load(_host, options, channel);
            using var network = (IDisposable?)start.TextToImage?.Network ?? start.StyleGan2!.Model;
            if (start.TextToImage is { } text)
                return Logged(new TextToImageFineTuning(text, options, seed: 0).EstimateMemory());
        }

        using var model = ImageBaseModel.Sizes(_host, options);
        return Logged(TrainingMemory.Estimate(model, OptionCheck.TrainingOf<AdversarialTrainingOptions>(
            options.Training, $"the StyleGAN2 '{options.PretrainedModel}'")));
    }

    private MemoryEstimate EstimateTuning(TextTuningOptions options, Func<TransformerNetwork, int> rowLength)
    {
        options.Check();
        using var sizes = TextBaseSizes.Of<TextGenerationModel>(_host, options.FineTuning);
        var network = sizes.Network;
        if (options.FineTuning.LoraFor(sizes.Tokenizer) is { } lora)
            LowRankAdaptation.Attach(network, lora);
        options.FineTuning.Prepare(network, sizes.Name);
        return Logged(TrainingMemory.Estimate(network, options.TrainingOptions, rowLength(network)));
    }

    private MemoryEstimate Logged(MemoryEstimate estimate)
    {
        using var channel = _host.Start(nameof(EstimateMemory));
        channel.Info($"Training takes about {estimate}.");
        return estimate;
    }
}
