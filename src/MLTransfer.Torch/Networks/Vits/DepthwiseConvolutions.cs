using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Dilated convolutions of each channel by itself, each followed by one over channels, with residuals.</summary>
internal sealed class DepthwiseConvolutions : NamedModule
{
    /// <summary>That of PyTorch's layer norms, whatever the configuration says for the others.</summary>
    private const double NormEpsilon = 1e-5;

    private readonly double _dropoutProbability;
    private readonly DropoutSource _dropout;
    private readonly List<Layer> _layers = [];

    /// <param name="weights">Has the layers.</param>
    /// <param name="c">The sizes.</param>
    /// <param name="dropoutProbability">After each layer.</param>
    /// <param name="dropout">Where it draws from.</param>
    public DepthwiseConvolutions(WeightScope weights, VitsConfiguration c, double dropoutProbability, DropoutSource dropout)
        : base(nameof(DepthwiseConvolutions))
    {
        (_dropoutProbability, _dropout) = (dropoutProbability, dropout);
        var (width, dilation) = (c.HiddenWidth, 1);
        for (var i = 0; i < c.DurationLayers; i++, dilation *= c.DurationKernel)
        {
            var layer = new Layer(
                new TimeConvolution(weights.Scope($"convs_dilated.{i}"), width, width, c.DurationKernel, dilation, groups: width),
                new Normalization(weights.Scope($"norms_1.{i}"), NormKind.Layer, width, NormEpsilon),
                new TimeConvolution(weights.Scope($"convs_pointwise.{i}"), width, width, kernel: 1),
                new Normalization(weights.Scope($"norms_2.{i}"), NormKind.Layer, width, NormEpsilon));
            ModuleNode.Add(this, $"convs_dilated.{i}", layer.Depthwise);
            ModuleNode.Add(this, $"norms_1.{i}", layer.DepthwiseNorm);
            ModuleNode.Add(this, $"convs_pointwise.{i}", layer.Pointwise);
            ModuleNode.Add(this, $"norms_2.{i}", layer.PointwiseNorm);
            _layers.Add(layer);
        }
    }

    public IReadOnlyList<Layer> Layers => _layers;

    /// <summary>[N, width, T] to the same shape.</summary>
    /// <param name="input">The hidden states.</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <param name="condition">Is added to the input, [N, width, T]; null for none.</param>
    public Tensor Forward(Tensor input, Tensor mask, Tensor? condition = null)
    {
        using var scope = NewDisposeScope();
        if (condition is not null)
            input = input + condition;
        foreach (var layer in _layers)
        {
            var hidden = Normalized(layer.DepthwiseNorm, layer.Depthwise.Forward(input * mask));
            hidden = Normalized(layer.PointwiseNorm, layer.Pointwise.Forward(hidden));
            input = input + _dropout.Apply(hidden, _dropoutProbability, training);
        }

        return (input * mask).MoveToOuterDisposeScope();

        static Tensor Normalized(Normalization norm, Tensor x) => F.gelu(norm.call(x.transpose(1, 2)).transpose(1, 2));
    }

    internal sealed record Layer(
        TimeConvolution Depthwise, Normalization DepthwiseNorm, TimeConvolution Pointwise, Normalization PointwiseNorm);
}
