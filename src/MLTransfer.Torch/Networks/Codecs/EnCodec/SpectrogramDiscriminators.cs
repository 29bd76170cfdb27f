using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Discriminators of several resolutions, each with a judgement of its own.</summary>
internal sealed class SpectrogramDiscriminators : NamedModule
{
    private readonly List<SpectrogramDiscriminator> _discriminators = [];

    /// <param name="channels">Of the sounds.</param>
    /// <param name="windows">Samples of a frame, for each.</param>
    /// <param name="filters">Feature maps of each.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">Where they go.</param>
    public SpectrogramDiscriminators(int channels, IReadOnlyList<int> windows, int filters, long seed, Device device)
        : base(nameof(SpectrogramDiscriminators))
    {
        using var generator = new Generator((ulong)seed);
        var weights = WeightSource.Initialized(ScalarType.Float32, device, generator);
        foreach (var (index, window) in windows.Index())
        {
            var place = index.ToString(CultureInfo.InvariantCulture);
            var discriminator = new SpectrogramDiscriminator(weights.Scope(place), channels, window, filters);
            _discriminators.Add(discriminator);
            register_module(place, discriminator);
        }
    }

    /// <summary>The judgements of sounds [B, channels, samples].</summary>
    public IReadOnlyList<(Tensor Logits, IReadOnlyList<Tensor> Features)> Forward(Tensor sounds) =>
        [.. _discriminators.Select(discriminator => discriminator.Forward(sounds))];
}
