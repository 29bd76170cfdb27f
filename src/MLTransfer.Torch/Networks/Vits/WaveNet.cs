using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Gated dilated convolutions with residual and skip connections (arXiv 1609.03499), not causal.</summary>
internal sealed class WaveNet : NamedModule
{
    private readonly int _width;
    private readonly double _dropoutProbability;
    private readonly DropoutSource _dropout;
    private readonly List<(TimeConvolution Gates, TimeConvolution Output)> _layers = [];

    public WaveNet(WeightScope weights, VitsConfiguration c, int layers, DropoutSource dropout)
        : base(nameof(WaveNet))
    {
        (_width, _dropoutProbability, _dropout) = (c.HiddenWidth, c.WaveNetDropout, dropout);
        if (c.SpeakerWidth > 0)
        {
            Condition = new TimeConvolution(
                weights.Scope("cond_layer"), c.SpeakerWidth, 2 * _width * layers, kernel: 1, isNormalized: true);
            register_module("cond_layer", Condition);
        }

        var dilation = 1;
        for (var i = 0; i < layers; i++, dilation *= c.WaveNetDilationRate)
        {
            var gates = new TimeConvolution(
                weights.Scope($"in_layers.{i}"), _width, 2 * _width, c.WaveNetKernel, dilation, isNormalized: true);
            var output = new TimeConvolution(
                weights.Scope($"res_skip_layers.{i}"), _width, i < layers - 1 ? 2 * _width : _width, kernel: 1, isNormalized: true);
            ModuleNode.Add(this, $"in_layers.{i}", gates);
            ModuleNode.Add(this, $"res_skip_layers.{i}", output);
            _layers.Add((gates, output));
        }
    }

    /// <summary>Makes of a speaker's vector what every layer adds to its gates; null for one speaker.</summary>
    public TimeConvolution? Condition { get; }

    /// <summary>The layers: the last one's output has no part that goes on.</summary>
    public IReadOnlyList<(TimeConvolution Gates, TimeConvolution Output)> Layers => _layers;

    /// <summary>[N, width, T] to the same shape.</summary>
    /// <param name="input">The hidden states.</param>
    /// <param name="mask">[N, 1, T]: 1 for frames, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    public Tensor Forward(Tensor input, Tensor mask, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        var conditions = speaker is null ? null : Condition?.Forward(speaker); // [N, layers x 2 width, 1]
        Tensor? skipped = null;
        foreach (var (index, (gates, output)) in _layers.Index())
        {
            var gated = gates.Forward(input); // [N, 2 width, T]
            if (conditions is not null)
                gated += conditions.narrow(1, 2L * _width * index, 2 * _width);
            var activated = gated.narrow(1, 0, _width).tanh() * gated.narrow(1, _width, _width).sigmoid();
            var result = output.Forward(_dropout.Apply(activated, _dropoutProbability, training));
            if (index < _layers.Count - 1)
            {
                input = (input + result.narrow(1, 0, _width)) * mask;
                result = result.narrow(1, _width, _width);
            }

            skipped = skipped is null ? result : skipped + result;
        }

        return (skipped! * mask).MoveToOuterDisposeScope();
    }
}
