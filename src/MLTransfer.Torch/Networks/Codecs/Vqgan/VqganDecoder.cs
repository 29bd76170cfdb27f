using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Latent vectors to pictures: [B, latent channels, rows, columns] to [B, 3, rows * factor, columns * factor].</summary>
internal sealed class VqganDecoder : LayerChain
{
    public VqganDecoder(WeightScope weights, VqganConfiguration configuration)
        : base(weights, configuration)
    {
        var top = configuration.Levels - 1;
        var (channels, resolution) = (configuration.ChannelsAt(top), configuration.Resolution / configuration.Factor);
        AddConvolution("conv_in", configuration.LatentChannels, channels);
        AddMiddle(channels);
        for (var level = top; level >= 0; level--)
        {
            var (inputs, outputs) = (channels, configuration.ChannelsAt(level));
            AddLevel($"up.{level}", configuration.ResidualBlocks + 1, inputs, outputs, resolution);
            if (level > 0)
                Add($"up.{level}.upsample", at => new Upsampling(at, outputs, configuration.ResamplesByConvolution));
            (channels, resolution) = (outputs, resolution * 2);
        }

        AddEnd(channels, 3);
    }
}
