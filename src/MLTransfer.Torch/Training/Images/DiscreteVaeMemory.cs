using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Images;

/// <summary>The memory that the training of a discrete VAE takes, and with which options it takes less.</summary>
/// <param name="model">The codec.</param>
/// <param name="options">How it is trained.</param>
/// <param name="resolution">Of the pictures.</param>
internal sealed class DiscreteVaeMemory(DiscreteVaeModel model, DiscreteVaeTrainingOptions options, int resolution)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.3;

    /// <summary>Tensors of the logits' size that a pass keeps: noise, weights, what they are made of, and the divergence's.</summary>
    private const int OfLogits = 8;

    public MemoryEstimate Estimate() => Estimate(options.BatchSize);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        var batch = options.BatchSize;
        while (batch > 1 && (batch == options.BatchSize || Estimate(batch).Total > limit))
            batch /= 2;
        var remedy = new MemoryRemedy(
            batch == options.BatchSize ? "none" : $"{nameof(options.BatchSize)} = {batch}", Estimate(batch));
        return [remedy, remedy];
    }

    private MemoryEstimate Estimate(int batch)
    {
        var numbers = model.parameters().Sum(parameter => parameter.numel());
        var trained = model.TrainableParameters().Sum(p => p.Parameter.numel());
        var codes = (long)(resolution / model.DownsamplingFactor) * (resolution / model.DownsamplingFactor);
        var kept = (double)batch * ((long)resolution * resolution * model.Layout.KeptPerPixel + codes * model.CodebookSize * OfLogits);
        return new MemoryEstimate
        {
            Weights = numbers * sizeof(float),
            Gradients = trained * sizeof(float),
            Optimizer = OptimizerFactory.StateNumbers(options, TrainedParameter.OfLayers(model.TrainableParameters())) * sizeof(float),
            Activations = (long)(Gaps * kept * sizeof(float)),
            Runtime = ProcessMemory.Runtime(model.Device.type == TorchSharp.DeviceType.META ? 0 : numbers * sizeof(float)),
        };
    }
}
