using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Numerics;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>The duration predictors of a VITS.</summary>
internal sealed class DurationNodes(SpeechNodes nodes)
{
    private const string Name = "duration_predictor";

    /// <summary>That of the layer norms between dilated convolutions, whatever the configuration says for the others.</summary>
    private const double NormEpsilon = 1e-5;

    private readonly GraphBuilder _graph = nodes.Graph;

    /// <summary>Logarithms of durations: [N, 1, T].</summary>
    /// <param name="hidden">[N, width, T].</param>
    /// <param name="mask">[N, 1, T].</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    /// <param name="noiseScale">Of stochastic durations.</param>
    public Value Add(Value hidden, Value mask, Value? speaker, double noiseScale)
    {
        _graph.EnterScope("/" + Name);
        var condition = speaker is null ? null : nodes.Convolve($"{Name}.cond", speaker);
        return nodes.Sizes.HasStochasticDurations
            ? Sample(hidden, mask, condition, noiseScale) : Regress(condition is null ? hidden : _graph.Sum(hidden, condition), mask);
    }

    private Value Regress(Value x, Value mask)
    {
        foreach (var layer in (int[])[1, 2])
        {
            var activated = _graph.Node("Relu", [nodes.Convolve($"{Name}.conv_{layer}", _graph.Product(x, mask))]);
            x = nodes.NormalizeChannels($"{Name}.norm_{layer}", activated, nodes.Sizes.NormEpsilon);
        }

        return _graph.Product(nodes.Convolve($"{Name}.proj", _graph.Product(x, mask)), mask);
    }

    private Value Sample(Value hidden, Value mask, Value? speaker, double noiseScale)
    {
        var x = nodes.Convolve($"{Name}.conv_pre", hidden);
        if (speaker is not null)
            x = _graph.Sum(x, speaker);
        var condition = _graph.Product(nodes.Convolve($"{Name}.conv_proj", Depthwise($"{Name}.conv_dds", x, mask)), mask);
        var pair = _graph.Concatenate(1, mask, mask); // [N, 2, T]
        var latents = noiseScale == 0
            ? _graph.Product(pair, nodes.Number(0))
            : _graph.Product(_graph.Node("RandomNormalLike", [pair]), nodes.Number(noiseScale));
        for (var flow = nodes.Sizes.DurationFlows; flow >= 2; flow--)
            latents = Spline($"{Name}.flows.{flow}", Flip(latents), mask, condition);
        var shifted = nodes.Difference(Flip(latents), nodes.Parameter($"{Name}.flows.0.translate"));
        var scale = nodes.Parameter($"{Name}.flows.0.log_scale", scale => (-scale).exp(), ".inverse");
        return nodes.Slice(_graph.Product(_graph.Product(shifted, scale), mask), 1, 0, 1);
    }

    private Value Flip(Value pair) => _graph.Node("Gather", [pair, _graph.Constant([1, 0])], ("axis", 1L));

    /// <summary>Dilated convolutions of each channel by itself, each followed by one over channels.</summary>
    private Value Depthwise(string name, Value x, Value mask)
    {
        var dilation = 1;
        for (var layer = 0; layer < nodes.Sizes.DurationLayers; layer++, dilation *= nodes.Sizes.DurationKernel)
        {
            var hidden = nodes.Convolve($"{name}.convs_dilated.{layer}", _graph.Product(x, mask), dilation, nodes.Sizes.HiddenWidth);
            hidden = nodes.Convolve($"{name}.convs_pointwise.{layer}", Activated($"{name}.norms_1.{layer}", hidden));
            x = _graph.Sum(x, Activated($"{name}.norms_2.{layer}", hidden));
        }

        return _graph.Product(x, mask);

        Value Activated(string norm, Value value) => ActivationNodes.Apply(
            _graph, Activation.Gelu, nodes.NormalizeChannels(norm, value, NormEpsilon), DataType.Float);
    }

    /// <summary>The inverse of a flow that maps the second channel by a spline, which a network makes of the first.</summary>
    private Value Spline(string name, Value latents, Value mask, Value condition)
    {
        var sizes = nodes.Sizes;
        var (first, second) = (nodes.Slice(latents, 1, 0, 1), nodes.Slice(latents, 1, 1, 2));
        var hidden = _graph.Sum(nodes.Convolve($"{name}.conv_pre", first), condition);
        hidden = _graph.Product(nodes.Convolve($"{name}.conv_proj", Depthwise($"{name}.conv_dds", hidden, mask)), mask);
        var parameters = _graph.Transpose(hidden, 0, 2, 1); // [N, T, 3 bins - 1]
        var bins = sizes.SplineBins;
        var scale = nodes.Number(1 / Math.Sqrt(sizes.HiddenWidth));
        var mapped = new SplineNodes(nodes).Invert(
            _graph.Transpose(second, 0, 2, 1), _graph.Product(nodes.Slice(parameters, 2, 0, bins), scale),
            _graph.Product(nodes.Slice(parameters, 2, bins, 2 * bins), scale), nodes.Slice(parameters, 2, 2 * bins, 3 * bins - 1));
        return _graph.Product(_graph.Concatenate(1, first, _graph.Transpose(mapped, 0, 2, 1)), mask);
    }
}
