using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A part of a discriminator: it looks at samples one after another, or at each that is a period behind the other.</summary>
internal sealed class WaveformDiscriminator : NamedModule
{
    /// <summary>Of the rectifiers (arXiv 2010.05646).</summary>
    private const double Slope = 0.1;

    private readonly int? _period;
    private readonly List<Convolution> _layers = [];

    /// <param name="weights">Has the layers.</param>
    /// <param name="layers">The last one makes logits.</param>
    /// <param name="period">Null for samples one after another.</param>
    public WaveformDiscriminator(WeightScope weights, IReadOnlyList<DiscriminatorLayer> layers, int? period)
        : base(nameof(WaveformDiscriminator))
    {
        _period = period;
        foreach (var (i, layer) in layers.Index())
        {
            var name = DiscriminatorLayer.Name(i, layers.Count);
            var convolution = new Convolution(weights.Scope(name), layer, isFlat: period is null);
            ModuleNode.Add(this, name, convolution);
            _layers.Add(convolution);
        }
    }

    /// <summary>[N, 1, samples] to the feature maps of each layer.</summary>
    public IReadOnlyList<Tensor> Forward(Tensor waveforms)
    {
        using var scope = NewDisposeScope();
        var hidden = _period is { } period ? Fold(waveforms, period) : waveforms;
        var features = new List<Tensor>();
        foreach (var (i, layer) in _layers.Index())
        {
            hidden = layer.Forward(hidden);
            if (i < _layers.Count - 1)
                hidden = F.leaky_relu(hidden, Slope);
            features.Add(hidden);
        }

        return [.. features.Select(feature => feature.MoveToOuterDisposeScope())];
    }

    /// <summary>[N, 1, samples] to [N, 1, samples / period, period], mirrored at the end where they do not divide.</summary>
    private static Tensor Fold(Tensor waveforms, int period)
    {
        var rest = (period - waveforms.shape[2] % period) % period;
        var padded = rest == 0 ? waveforms : F.pad(waveforms, [0, rest], TorchSharp.PaddingModes.Reflect);
        return padded.view(padded.shape[0], 1, padded.shape[2] / period, period);
    }

    private sealed class Convolution : NamedModule
    {
        private readonly DiscriminatorLayer _layer;
        private readonly ConvolutionWeight _weight;
        private readonly Parameter _bias;

        public Convolution(WeightScope weights, DiscriminatorLayer layer, bool isFlat)
            : base(nameof(Convolution))
        {
            _layer = layer;
            var inputs = layer.Inputs / layer.Groups;
            var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * inputs * layer.Kernel));
            long[] shape = isFlat ? [layer.Outputs, inputs, layer.Kernel] : [layer.Outputs, inputs, layer.Kernel, 1];
            _weight = new ConvolutionWeight(this, null, weights, isNormalized: true, initialization, shape);
            register_parameter("bias", _bias = weights.Take("bias", Initialization.Zeros, layer.Outputs));
        }

        public Tensor Forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var (weight, padding) = (_weight.Value(training: true), _layer.Kernel / 2);
            var output = input.dim() == 3
                ? F.conv1d(input, weight, _bias, stride: _layer.Stride, padding: padding, groups: _layer.Groups)
                : F.conv2d(input, weight, _bias, strides: [_layer.Stride, 1], padding: [padding, 0], groups: _layer.Groups);
            return output.MoveToOuterDisposeScope();
        }
    }
}
