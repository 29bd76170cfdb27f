using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Pairs of convolutions of one kernel, the first of each dilated, with a residual around each pair.</summary>
internal sealed class ResidualBlock : NamedModule
{
    /// <summary>The deviation of new weights (arXiv 2010.05646's released code).</summary>
    public const double Deviation = 0.01;

    private readonly double _slope;
    private readonly List<(TimeConvolution Dilated, TimeConvolution Plain)> _pairs = [];

    public ResidualBlock(
        WeightScope weights, int width, int kernel, IReadOnlyList<int> dilations, double slope, bool isNormalized)
        : base(nameof(ResidualBlock))
    {
        _slope = slope;
        foreach (var (i, dilation) in dilations.Index())
        {
            var dilated = Add($"convs1.{i}", dilation);
            _pairs.Add((dilated, Add($"convs2.{i}", 1)));
        }

        TimeConvolution Add(string name, int dilation)
        {
            var convolution = new TimeConvolution(
                weights.Scope(name), width, width, kernel, dilation, isNormalized: isNormalized, deviation: Deviation);
            ModuleNode.Add(this, name, convolution);
            return convolution;
        }
    }

    public IReadOnlyList<(TimeConvolution Dilated, TimeConvolution Plain)> Pairs => _pairs;

    /// <summary>[N, width, T] to the same shape.</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        foreach (var (dilated, plain) in _pairs)
        {
            var hidden = dilated.Forward(F.leaky_relu(input, _slope));
            input = input + plain.Forward(F.leaky_relu(hidden, _slope));
        }

        return input.MoveToOuterDisposeScope();
    }
}
