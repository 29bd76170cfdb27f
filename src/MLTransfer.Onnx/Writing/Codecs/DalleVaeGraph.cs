using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>DALL-E's discrete VAE (arXiv 2102.12092, appendix A).</summary>
internal sealed class DalleVaeGraph(ImageCodec codec) : PictureCodecGraph(codec)
{
    private readonly DalleVaeConfiguration _c = DalleVaeConfiguration.Read(codec.Configuration, "the codec");

    protected override Value Decode(Value codes)
    {
        // A convolution of one pixel that reads one-hot inputs.
        const string Input = "decoder.blocks.input.";
        var rows = Layers.Make(Input + "rows", () => Tensors[Input + "w"].flatten(1).t());      // [codewords, width]
        var maps = Layers.Look(rows, codes, Layers.Tensor(Input + "b"));
        var output = Blocks("decoder.", maps, _c.DecoderBlocks, Layers.Repeat);                 // [B, 6, H, W], the last 3 are scales
        var means = Graph.Node("Slice", [output, Graph.Constant([0]), Graph.Constant([3]), Graph.Constant([1])]);
        var share = 1 / (1 - 2 * _c.Margin);
        return Layers.Clip(Layers.Scale(Graph.Node("Sigmoid", [means]), [share], [-_c.Margin * share]));
    }

    protected override Value Encode(Value pictures)
    {
        var input = Convolve("encoder.blocks.input.", Layers.Scale(pictures, [1 - 2 * _c.Margin], [_c.Margin]));
        return Likeliest(Blocks("encoder.", input, _c.EncoderBlocks, maps => Layers.Pool("MaxPool", maps)));
    }

    /// <summary>Groups of blocks, between which a picture changes its size, and the last convolution.</summary>
    private Value Blocks(string part, Value x, int blocks, Func<Value, Value> resize)
    {
        var gain = Math.Pow(_c.Groups * blocks, -2);
        for (var group = 1; group <= _c.Groups; group++)
        {
            if (group > 1)
                x = resize(x);
            for (var block = 1; block <= blocks; block++)
                x = Residual($"{part}blocks.group_{group}.block_{block}.", x, gain);
        }

        return Convolve(part + "blocks.output.conv.", Graph.Node("Relu", [x]));
    }

    private Value Residual(string name, Value x, double gain)
    {
        var inner = x;
        for (var i = 1; i <= 4; i++)
            inner = Convolve($"{name}res_path.conv_{i}.", Graph.Node("Relu", [inner]));
        return Graph.Sum(
            Layers.Has(name + "id_path.w") ? Convolve(name + "id_path.", x) : x,
            Graph.Product(inner, Graph.Constant(gain, DataType.Float)));
    }

    private Value Convolve(string name, Value x) => Layers.Convolve(name + DalleVae.Names.Weight, name + DalleVae.Names.Bias, x);
}
