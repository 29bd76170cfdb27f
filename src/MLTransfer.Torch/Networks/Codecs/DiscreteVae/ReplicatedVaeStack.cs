using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>The encoder or the decoder: convolutions that halve or double a picture, and residual blocks where it is small.</summary>
internal sealed class ReplicatedVaeStack : NamedModule
{
    private readonly WeightScope _weights;
    private readonly List<Func<Tensor, Tensor>> _layers = [];

    private ReplicatedVaeStack(WeightScope weights)
        : base(nameof(ReplicatedVaeStack))
    {
        _weights = weights;
    }

    /// <summary>[B, 3, H, W] to logits [B, V, h, w].</summary>
    public static ReplicatedVaeStack Encoder(WeightScope weights, ReplicatedVaeConfiguration c)
    {
        var stack = new ReplicatedVaeStack(weights);
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var halving = stack.Add(
                place => new Convolution(
                    place, ReplicatedVae.Names, layer == 0 ? 3 : c.HiddenWidth, c.HiddenWidth, kernel: 4, Math.Sqrt(2), stride: 2),
                ".0");
            stack._layers.Add(maps => halving.Forward(maps).relu_());
        }

        stack.AddResidualBlocks(c);
        stack.AddPointwise(c.HiddenWidth, c.CodebookSize);
        return stack;
    }

    /// <summary>Vectors of codewords, [B, D, h, w], to [B, 3, H, W].</summary>
    public static ReplicatedVaeStack Decoder(WeightScope weights, ReplicatedVaeConfiguration c)
    {
        var stack = new ReplicatedVaeStack(weights);
        if (c.ResidualBlocks > 0)
            stack.AddPointwise(c.CodebookWidth, c.HiddenWidth);
        stack.AddResidualBlocks(c);
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var doubling = stack.Add(
                place => new DoublingConvolution(
                    place, layer == 0 && c.ResidualBlocks == 0 ? c.CodebookWidth : c.HiddenWidth, c.HiddenWidth),
                ".0");
            stack._layers.Add(maps => doubling.Forward(maps).relu_());
        }

        stack.AddPointwise(c.HiddenWidth, 3);
        return stack;
    }

    public Tensor Forward(Tensor maps)
    {
        foreach (var layer in _layers)
        {
            using var scope = NewDisposeScope();
            maps = layer(maps).MoveToOuterDisposeScope();
        }

        return maps;
    }

    private void AddResidualBlocks(ReplicatedVaeConfiguration c)
    {
        for (var block = 0; block < c.ResidualBlocks; block++)
            _layers.Add(Add(place => new ReplicatedVaeBlock(place, c.HiddenWidth)).Forward);
    }

    private void AddPointwise(int input, int output) =>
        _layers.Add(Add(place => new Convolution(place, ReplicatedVae.Names, input, output, kernel: 1, gain: 1)).Forward);

    /// <param name="make">Makes the next layer of its scope.</param>
    /// <param name="inside">Where it lies under the layer's number.</param>
    private T Add<T>(Func<WeightScope, T> make, string inside = "")
        where T : nn.Module
    {
        var place = _layers.Count.ToString(CultureInfo.InvariantCulture) + inside;
        var layer = make(_weights.Scope(place));
        ModuleNode.Add(this, place, layer);
        return layer;
    }
}
