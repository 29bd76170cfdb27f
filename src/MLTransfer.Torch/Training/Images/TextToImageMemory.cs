using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Images;

/// <summary>
/// The memory that the training of a network that writes codes of pictures takes, and with which options it takes less: rough, read from
/// its linear layers.
/// </summary>
/// <param name="model">The network, with its adapters where it has such.</param>
/// <param name="options">How it is trained.</param>
internal sealed class TextToImageMemory(TextToImageModel model, TextToImageTrainingOptions options)
{
    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.3;

    /// <summary>What is kept of each output of a linear layer: itself, its activation or mask, and the norm or sum behind it.</summary>
    private const double KeptOutputs = 2.5;

    public MemoryEstimate Estimate() => Estimate(options);

    /// <summary>Changes of options; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        if (options.BatchSize == 1)
            return [new MemoryRemedy("none", Estimate())];
        var smaller = options;
        do
            smaller = smaller with { BatchSize = smaller.BatchSize / 2 };
        while (smaller.BatchSize > 1 && Estimate(smaller).Total > limit);
        var remedy = new MemoryRemedy($"{nameof(options.BatchSize)} = {smaller.BatchSize}", Estimate(smaller));
        return [remedy, remedy];
    }

    private MemoryEstimate Estimate(TextToImageTrainingOptions of)
    {
        var weights = model.parameters().Sum(parameter => parameter.numel() * parameter.element_size());
        var trained = model.TrainableParameters().Sum(p => p.Parameter.numel());
        var positions = (long)of.BatchSize * (model.TextLength + 1 + (long)model.CodesPerSide * model.CodesPerSide);
        var codec = model.Codec.LinearLayers().Select(l => l.Layer).ToHashSet();
        var kept = model.LinearLayers().Where(l => !codec.Contains(l.Layer) && !model.IsOutputHead(l.Name))
            .Sum(l => l.Layer.InputWidth + KeptOutputs * l.Layer.OutputWidth);
        const int LogitCopies = 3; // the logits, their softmax and their gradient
        return new MemoryEstimate
        {
            Weights = weights,
            Gradients = trained * sizeof(float),
            Optimizer = OptimizerFactory.StateNumbers(of, LanguageTask.Trained(model)) * sizeof(float),
            Activations = (long)(Gaps * sizeof(float) * positions * (kept + LogitCopies * (double)model.LogitsPerPosition)),
            Runtime = ProcessMemory.Runtime(model.Device.type == TorchSharp.DeviceType.META ? 0 : weights),
        };
    }
}
