using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Pictures to latent vectors: [B, 3, H, W] to [B, latent channels, H / factor, W / factor].</summary>
internal sealed class VqganEncoder : LayerChain
{
    public VqganEncoder(WeightScope weights, VqganConfiguration configuration)
        : base(weights, configuration)
    {
        var (channels, resolution) = (configuration.Channels, configuration.Resolution);
        AddConvolution("conv_in", 3, channels);
        for (var level = 0; level < configuration.Levels; level++)
        {
            var (inputs, outputs) = (channels, configuration.ChannelsAt(level));
            AddLevel($"down.{level}", configuration.ResidualBlocks, inputs, outputs, resolution);
            if (level < configuration.Levels - 1)
                Add($"down.{level}.downsample", at => new Downsampling(at, outputs, configuration.ResamplesByConvolution));
            (channels, resolution) = (outputs, resolution / 2);
        }

        AddMiddle(channels);
        AddEnd(channels, configuration.LatentChannels);
    }
}
