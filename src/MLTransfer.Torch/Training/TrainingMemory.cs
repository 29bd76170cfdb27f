using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training;

/// <summary>Tells without training how much memory it takes on the CPU.</summary>
/// <remarks>
/// A transformer's estimate is read from its description: it is the peak of the process within 15 percent where the C library is glibc.
/// That of other networks counts what their layers keep and is rougher; of layers that are not known (TorchScript, ONNX, classes of the
/// user's) it is a guess from the size of the input. A network on the device <c>meta</c>, which has no memory, will do.
/// </remarks>
public static class TrainingMemory
{
    /// <summary>Of a transformer: a decoder, an encoder, or both.</summary>
    /// <param name="network">As it is trained: with its frozen parameters, or its adapters.</param>
    /// <param name="options">How.</param>
    /// <param name="length">The tokens of a row, of the longest where they differ; of both rows where there are an encoder and a
    /// decoder.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the length is not from 1 to the network's context.</exception>
    public static MemoryEstimate Estimate(TransformerNetwork network, LanguageTrainingOptions options, int length)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, network.ContextLength);
        return new LanguageMemory(network, options, LanguageShape.Of(options, length)).Estimate();
    }

    /// <summary>Of a StyleGAN2.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How it is trained.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MemoryEstimate Estimate(StyleGan2Model model, AdversarialTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return new AdversarialMemory(model, options).Estimate();
    }

    /// <summary>Of a network of layers.</summary>
    /// <param name="network">With its frozen parameters.</param>
    /// <param name="options">How it is trained.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MemoryEstimate Estimate(TransferNetwork network, ModuleTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return new ModuleMemory(network, options).Estimate();
    }

    /// <summary>Of a codec of sounds.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="options">How it is trained.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MemoryEstimate Estimate(EnCodecModel codec, EnCodecTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return new EnCodecMemory(codec, options).Estimate();
    }

    /// <summary>Of a codec of pictures.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="resolution">Pixels along a picture's side; the codec's where null.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MemoryEstimate Estimate(DiscreteVaeModel codec, DiscreteVaeTrainingOptions options, int? resolution = null)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(resolution ?? 1, 1);
        return new DiscreteVaeMemory(codec, options, resolution ?? codec.ImageSize).Estimate();
    }

    /// <summary>Of a network that writes codes of pictures.</summary>
    /// <param name="network">As it is trained: with its frozen parameters, or its adapters.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MemoryEstimate Estimate(TextToImageModel network, TextToImageTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return new TextToImageMemory(network, options).Estimate();
    }
}
