using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Spectrograms to the means and log deviations of latent variables. Training alone needs it.</summary>
internal sealed class PosteriorEncoder : NamedModule
{
    private readonly TimeConvolution _input;
    private readonly WaveNet _waveNet;
    private readonly TimeConvolution _project;
    private readonly int _latentWidth;

    public PosteriorEncoder(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(PosteriorEncoder))
    {
        _latentWidth = c.LatentWidth;
        _input = new TimeConvolution(weights.Scope("conv_pre"), c.SpectrogramBins, c.HiddenWidth, kernel: 1);
        _waveNet = new WaveNet(weights.Scope("wavenet"), c, c.PosteriorLayers, dropout);
        _project = new TimeConvolution(weights.Scope("conv_proj"), c.HiddenWidth, 2 * c.LatentWidth, kernel: 1);
        register_module("conv_pre", _input);
        register_module("wavenet", _waveNet);
        register_module("conv_proj", _project);
    }

    /// <summary>[N, bins, T] to means and log deviations [N, latent width, T].</summary>
    /// <param name="spectrograms">Magnitudes.</param>
    /// <param name="mask">[N, 1, T]: 1 for frames, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    public (Tensor Means, Tensor LogDeviations) Forward(Tensor spectrograms, Tensor mask, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        var hidden = _waveNet.Forward(_input.Forward(spectrograms) * mask, mask, speaker);
        var statistics = (_project.Forward(hidden) * mask).split(_latentWidth, 1);
        return (statistics[0].MoveToOuterDisposeScope(), statistics[1].MoveToOuterDisposeScope());
    }
}
