using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The spectrograms that a VITS reads in training, and the mel spectrograms that its sounds are compared by.</summary>
internal sealed class SpeechSpectra : IDisposable
{
    /// <summary>Added to a squared magnitude before its root, so that silence has a gradient.</summary>
    private const double Floor = 1e-6;

    /// <summary>The smallest value of a mel band before its logarithm.</summary>
    private const double SmallestBand = 1e-5;

    private readonly Tensor _window;
    private readonly Tensor _filters;

    /// <exception cref="ArgumentException">An option does not fit the network.</exception>
    public SpeechSpectra(VitsModel model, SpeechTrainingOptions options)
    {
        (FftSize, Hop) = (2 * (model.Sizes.SpectrogramBins - 1), model.HopLength);
        if (FftSize < Hop)
        {
            throw new ArgumentException(
                $"The network's spectrograms have {model.Sizes.SpectrogramBins} bins (spectrogram_bins), which {FftSize} samples make; its "
                + $"frames of {Hop} samples are longer.", nameof(model));
        }

        var window = options.WindowSize ?? FftSize;
        if (window > FftSize)
        {
            throw new ArgumentException(
                $"{nameof(options.WindowSize)} is {window}; the network's spectrograms are of {FftSize} samples.", nameof(options));
        }

        var before = (FftSize - window) / 2;
        _window = F.pad(hann_window(window), [before, FftSize - window - before]).to(model.Device).DetachFromDisposeScope();
        _filters = new MelFilters(model.SampleRate, FftSize, options.MelBands)
        {
            LowestFrequency = options.LowestFrequency, HighestFrequency = options.HighestFrequency,
        }.ToTensor().clone().to(model.Device).DetachFromDisposeScope(); // in libtorch's own memory: bits of products go by its alignment
    }

    /// <summary>Samples of a spectrogram's frame.</summary>
    public int FftSize { get; }

    /// <summary>Samples from a frame to the next.</summary>
    public int Hop { get; }

    /// <summary>The least samples that a sound must have.</summary>
    public int FewestSamples => Math.Max(Hop, Padding + 1) + (FftSize - Hop) % 2;

    private int Padding => (FftSize - Hop) / 2;

    /// <summary>The frames of a sound.</summary>
    public int Frames(int samples) => (samples + 2 * Padding - FftSize) / Hop + 1;

    /// <summary>Magnitudes: [N, samples] to [N, bins, frames]. The ends are mirrored, so that there is a frame a hop.</summary>
    public Tensor Magnitudes(Tensor waveforms)
    {
        using var scope = NewDisposeScope();
        var padded = F.pad(waveforms.unsqueeze(1), [Padding, Padding], TorchSharp.PaddingModes.Reflect).squeeze(1);
        var spectrum = view_as_real(stft(
            padded, FftSize, Hop, FftSize, _window, center: false, normalized: false, onesided: true, return_complex: true));
        return (spectrum.square().sum(-1) + Floor).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary>Logarithms of mel bands: [N, bins, frames] to [N, bands, frames].</summary>
    public Tensor LogMel(Tensor magnitudes)
    {
        using var scope = NewDisposeScope();
        return _filters.matmul(magnitudes).clamp_min(SmallestBand).log().MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _window.Dispose();
        _filters.Dispose();
    }
}
