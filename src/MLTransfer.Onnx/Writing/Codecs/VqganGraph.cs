using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>A VQGAN (arXiv 2012.09841), layer by layer as its modules are called.</summary>
/// <remarks>B: batch, C: feature maps, H and W: a picture's height and width, D: width of a codeword, K: codewords.</remarks>
internal sealed class VqganGraph(ImageCodec codec) : PictureCodecGraph(codec)
{
    private readonly VqganConfiguration _c = VqganConfiguration.Read(codec.Configuration);

    private string Codewords => _c.HasEncoder ? "quantize.embedding.weight" : "embedding.weight";

    protected override Value Decode(Value codes)
    {
        var latents = Convolve("post_quant_conv.", Layers.Look(Layers.Tensor(Codewords), codes));
        var pictures = Chain("decoder.", latents);
        return Layers.Clip(_c.ComputesInUnitRange ? pictures : Layers.Scale(pictures, [0.5], [0.5]));
    }

    protected override Value Encode(Value pictures)
    {
        var latents = Chain("encoder.", _c.ComputesInUnitRange ? pictures : Layers.Scale(pictures, [2], [-1]));
        var vectors = Graph.Transpose(Convolve("quant_conv.", latents), 0, 2, 3, 1);             // [B, rows, columns, D]

        // |z - e|^2 without |z|^2, which is the same for all codewords.
        var products = Graph.MatrixProduct(vectors, Layers.Make(Codewords + ".doubled", () => Tensors[Codewords].t() * 2));
        var squares = Layers.Make(Codewords + ".squares", () => Tensors[Codewords].square().sum(1));
        return Graph.Node("ArgMin", [Graph.Node("Sub", [squares, products])], ("axis", -1L), ("keepdims", 0L));
    }

    /// <summary>The layers of the encoder or the decoder, of which the last reads what swish gives.</summary>
    private Value Chain(string part, Value x)
    {
        string[] layers = [.. Codec.BlockPrefixes.Where(prefix => prefix.StartsWith(part, StringComparison.Ordinal))];
        foreach (var layer in layers)
        {
            var kind = layer.TrimEnd('.').Split('.')[^1];
            x = kind switch
            {
                "norm_out" => Swish(Normalize(layer, x)),
                "conv_in" or "conv_out" => Convolve(layer, x),
                "downsample" => Shrink(layer, x),
                "upsample" => Grow(layer, x),
                _ when Layers.Has(layer + "q.weight") => Attend(layer, x),
                _ => Residual(layer, x),
            };
        }

        return x;
    }

    private Value Residual(string name, Value x)
    {
        var inner = Convolve(name + "conv1.", Swish(Normalize(name + "norm1.", x)));
        inner = Convolve(name + "conv2.", Swish(Normalize(name + "norm2.", inner)));
        return Graph.Sum(Layers.Has(name + "nin_shortcut.weight") ? Convolve(name + "nin_shortcut.", x) : x, inner);
    }

    /// <summary>Each pixel attends to all, with one head as wide as there are feature maps.</summary>
    private Value Attend(string name, Value x)
    {
        var normalized = Normalize(name + "norm.", x);
        var (query, key, value) = (Pixels("q."), Pixels("k."), Pixels("v."));                    // [B, C, H W]
        var scale = Graph.Constant(1 / Math.Sqrt(Tensors[name + "q.weight"].shape[0]), DataType.Float);
        var scores = Graph.Product(Graph.MatrixProduct(Graph.Transpose(query, 0, 2, 1), key), scale); // [B, queries, keys]
        var shares = Graph.Transpose(Graph.Node("Softmax", [scores], ("axis", -1L)), 0, 2, 1);
        var attended = Graph.Node("Reshape", [Graph.MatrixProduct(value, shares), Graph.Node("Shape", [x])]);
        return Graph.Sum(x, Convolve(name + "proj_out.", attended));

        Value Pixels(string part)
        {
            var maps = Convolve(name + part, normalized);
            return Graph.Node("Reshape", [maps, Graph.Constant([0, 0, -1])]);
        }
    }

    private Value Shrink(string name, Value x) => Layers.Has(name + "conv.weight")
        ? Layers.Convolve(name + "conv.weight", name + "conv.bias", x, stride: 2, pads: [0, 0, 1, 1]) : Layers.Pool("AveragePool", x);

    private Value Grow(string name, Value x)
    {
        var doubled = Layers.Repeat(x);
        return Layers.Has(name + "conv.weight") ? Convolve(name + "conv.", doubled) : doubled;
    }

    private Value Convolve(string name, Value x) => Layers.Convolve(name + "weight", name + "bias", x);

    private Value Normalize(string name, Value x) =>
        Layers.NormalizeGroups(name.TrimEnd('.'), x, VqganConfiguration.Groups, _c.Epsilon);

    private Value Swish(Value x) => Graph.Product(x, Graph.Node("Sigmoid", [x]));
}
