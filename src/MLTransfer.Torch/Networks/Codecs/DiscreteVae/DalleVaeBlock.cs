using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>A residual block: four convolutions, each of what is positive of its input, in a quarter of the block's width.</summary>
internal sealed class DalleVaeBlock : NamedModule
{
    private readonly double _gain;
    private readonly Convolution? _shortcut;
    private readonly Convolution[] _path = new Convolution[4];

    /// <param name="weights">Has <c>res_path.conv_1</c> to <c>res_path.conv_4</c>, and <c>id_path</c> where widths differ.</param>
    /// <param name="input">Feature maps of the input.</param>
    /// <param name="output">Feature maps of the output.</param>
    /// <param name="kernels">Of the four convolutions.</param>
    /// <param name="layers">Blocks of the whole network: the path's share of the sum is 1 in so many, squared.</param>
    public DalleVaeBlock(WeightScope weights, int input, int output, ReadOnlySpan<int> kernels, int layers)
        : base(nameof(DalleVaeBlock))
    {
        _gain = 1.0 / ((double)layers * layers);
        if (input != output)
        {
            _shortcut = new Convolution(weights.Scope("id_path"), DalleVae.Names, input, output, kernel: 1, gain: 1);
            register_module("id_path", _shortcut);
        }

        var inner = output / 4;
        for (var i = 0; i < _path.Length; i++)
        {
            var place = $"res_path.conv_{i + 1}";
            var (from, to) = (i == 0 ? input : inner, i == _path.Length - 1 ? output : inner);
            _path[i] = new Convolution(weights.Scope(place), DalleVae.Names, from, to, kernels[i], gain: 1);
            ModuleNode.Add(this, place, _path[i]);
        }
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var residual = input;
        foreach (var convolution in _path)
            residual = convolution.Forward(residual.relu());
        return ((_shortcut?.Forward(input) ?? input) + residual * _gain).MoveToOuterDisposeScope();
    }
}
