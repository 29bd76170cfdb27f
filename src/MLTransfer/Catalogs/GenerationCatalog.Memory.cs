using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace MLTransfer;

/// <content>Estimates of what training takes.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>
    /// The memory that <see cref="TextGeneratorEstimator"/> takes with these options, for full batches of rows of
    /// <see cref="TextGeneratorOptions.MaximumLength"/> tokens. Nothing is trained, and no weight is read.
    /// </summary>
    /// <param name="options">As they are given to the estimator. A hub model is downloaded where it is not in the cache yet.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the model.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public MemoryEstimate EstimateMemory(TextGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        var folder = PretrainedModels.ResolveFolder(options.PretrainedModel, revision: null, progress: null, options.CancellationToken);
        using var network = CausalLanguageModel.Create(ModelConfigurationFile.Read(folder), device: torch.META);
        TextGeneratorEstimator.Prepare(network, options, seed: null);
        return Logged(TrainingMemory.Estimate(network, options.Training, options.MaximumLength ?? network.ContextLength));
    }

    /// <summary>
    /// The memory that <see cref="ImageGeneratorEstimator"/> takes with these options. Nothing is trained, and no weight is read.
    /// </summary>
    /// <param name="options">As they are given to the estimator.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the model.</exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read.</exception>
    public MemoryEstimate EstimateMemory(ImageGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        var configuration = ModelConfigurationFile.Read(PretrainedModels.ResolveImageFolder(options.PretrainedModel));
        using var model = StyleGan2Model.Create(configuration, torch.META);
        return Logged(TrainingMemory.Estimate(model, OptionCheck.TrainingOf<AdversarialTrainingOptions>(
            options.Training, $"the StyleGAN2 '{options.PretrainedModel}'")));
    }

    private MemoryEstimate Logged(MemoryEstimate estimate)
    {
        using var channel = _host.Start(nameof(EstimateMemory));
        channel.Info($"Training takes about {estimate}.");
        return estimate;
    }
}
