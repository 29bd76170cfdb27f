using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>The discrete VAE of dalle-pytorch, the open replication of DALL-E.</summary>
internal sealed class ReplicatedVaeGraph(ImageCodec codec) : PictureCodecGraph(codec)
{
    private readonly ReplicatedVaeConfiguration _c = ReplicatedVaeConfiguration.Read(codec.Configuration, "the codec");

    protected override Value Decode(Value codes)
    {
        var place = 0;
        var x = Layers.Look(Layers.Tensor("codebook.weight"), codes);
        if (_c.ResidualBlocks > 0)
            x = Convolve($"decoder.{place++}", x);
        x = Blocks("decoder", ref place, x);
        for (var layer = 0; layer < _c.Layers; layer++, place++)
            x = Graph.Node("Relu", [Layers.Double($"decoder.{place}.0.weight", $"decoder.{place}.0.bias", x)]);
        x = Convolve($"decoder.{place}", x);
        return Layers.Clip(_c.Normalizes is var (means, deviations) ? Layers.Scale(x, [.. deviations], [.. means]) : x);
    }

    protected override Value Encode(Value pictures)
    {
        var place = 0;
        var x = _c.Normalizes is var (means, deviations)
            ? Layers.Scale(pictures, [.. deviations.Select(deviation => 1 / deviation)], [.. means.Zip(deviations, (m, d) => -m / d)])
            : pictures;
        for (; place < _c.Layers; place++)
            x = Graph.Node("Relu", [Convolve($"encoder.{place}.0", x, stride: 2)]);
        x = Blocks("encoder", ref place, x);
        return Likeliest(Convolve($"encoder.{place}", x));
    }

    private Value Blocks(string part, ref int place, Value x)
    {
        for (var block = 0; block < _c.ResidualBlocks; block++, place++)
        {
            var inner = Graph.Node("Relu", [Convolve($"{part}.{place}.net.0", x)]);
            inner = Graph.Node("Relu", [Convolve($"{part}.{place}.net.2", inner)]);
            x = Graph.Sum(Convolve($"{part}.{place}.net.4", inner), x);
        }

        return x;
    }

    private Value Convolve(string name, Value x, long stride = 1) => Layers.Convolve(
        $"{name}.{ReplicatedVae.Names.Weight}", $"{name}.{ReplicatedVae.Names.Bias}", x, stride);
}
