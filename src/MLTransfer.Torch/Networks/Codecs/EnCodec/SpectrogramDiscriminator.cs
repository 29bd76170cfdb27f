using System.Globalization;
using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>
/// Tells real sounds from decoded ones by their complex spectrogram at one resolution (arXiv 2210.13438, section 3.4): convolutions over
/// time
/// and frequency, which halve the frequencies and read further and further in time.
/// </summary>
/// <remarks>B: batch, C: channels of a sound, L: samples, T: frames, F: bins.</remarks>
internal sealed class SpectrogramDiscriminator : NamedModule
{
    private const double Slope = 0.2;
    private const int TimeKernel = 3;
    private const int FrequencyKernel = 9;

    private static readonly int[] s_dilations = [1, 2, 4];

    private readonly int _window;
    private readonly List<Layer> _layers = [];

    /// <param name="weights">New ones.</param>
    /// <param name="channels">C.</param>
    /// <param name="window">Samples of a frame, a multiple of 4; a quarter of them from a frame to the next.</param>
    /// <param name="filters">Feature maps.</param>
    public SpectrogramDiscriminator(WeightScope weights, int channels, int window, int filters)
        : base(nameof(SpectrogramDiscriminator))
    {
        _window = window;
        Add(2 * channels, filters, TimeKernel, FrequencyKernel); // real and imaginary parts
        foreach (var dilation in s_dilations)
            Add(filters, filters, TimeKernel, FrequencyKernel, stride: 2, dilation);
        Add(filters, filters, TimeKernel, TimeKernel);
        Add(filters, 1, TimeKernel, TimeKernel);

        void Add(int inputs, int outputs, int timeKernel, int frequencyKernel, int stride = 1, int dilation = 1)
        {
            var place = _layers.Count.ToString(CultureInfo.InvariantCulture);
            var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * inputs * timeKernel * frequencyKernel));
            var weight = new ConvolutionWeight(
                this, place, weights, isNormalized: true, initialization, outputs, inputs, timeKernel, frequencyKernel);
            var bias = weights.Scope(place).Take("bias", Initialization.Zeros, outputs);
            ModuleNode.Add(this, place + ".bias", bias);
            _layers.Add(new(weight, bias, stride, dilation, (timeKernel - 1) * dilation / 2, frequencyKernel / 2));
        }
    }

    /// <summary>Logits [B, 1, T, F'], positive for real, and what the layers before made.</summary>
    /// <param name="sounds">[B, C, L], with more samples than half a frame.</param>
    public (Tensor Logits, IReadOnlyList<Tensor> Features) Forward(Tensor sounds)
    {
        using var scope = NewDisposeScope();
        var (batch, channels) = (sounds.shape[0], sounds.shape[1]);
        var window = hann_window(_window, periodic: true, dtype: sounds.dtype, device: sounds.device);
        var padded = F.pad(sounds, (_window / 2, _window / 2), TorchSharp.PaddingModes.Reflect).flatten(0, 1); // [B C, L']
        var spectrum = view_as_real(stft(padded, _window, _window / 4, _window, window, center: false, return_complex: true));
        var x = (spectrum / window.square().sum().sqrt()) // [B C, F, T, 2]
            .view(batch, channels, spectrum.shape[1], spectrum.shape[2], 2).permute(0, 1, 4, 3, 2).flatten(1, 2);
        var features = new List<Tensor>();
        foreach (var (index, layer) in _layers.Index())
        {
            x = F.conv2d(
                x, layer.Weight.Value(training: true), layer.Bias, strides: [1, layer.Stride],
                padding: [layer.TimePadding, layer.FrequencyPadding], dilation: [layer.Dilation, 1]);
            if (index < _layers.Count - 1)
                features.Add(x = F.leaky_relu(x, Slope));
        }

        return (x.MoveToOuterDisposeScope(), [.. features.Select(feature => feature.MoveToOuterDisposeScope())]);
    }

    private sealed record Layer(
        ConvolutionWeight Weight, Parameter Bias, int Stride, int Dilation, int TimePadding, int FrequencyPadding);
}
