using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using TorchSharp;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>The kinds of layers of an EnCodec as nodes. Sequences are [B, channels, T].</summary>
/// <param name="graph">That they are put into.</param>
/// <param name="c">Of the codec.</param>
/// <param name="tensors">The codec's, by their names.</param>
internal sealed class CodecLayerNodes(GraphBuilder graph, EnCodecConfiguration c, IReadOnlyDictionary<string, Tensor> tensors)
{
    private const float Epsilon = 1e-5f;

    public GraphBuilder Graph => graph;

    /// <summary>The exponential linear unit.</summary>
    public Value Activate(Value x) => graph.Node("Elu", [x], ("alpha", 1f));

    /// <summary>A padded convolution, to ceil(T / stride) steps.</summary>
    /// <param name="name">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <param name="least">The fewest steps that the input can have.</param>
    /// <param name="stride">Input steps for an output step.</param>
    /// <param name="dilation">Input steps from a tap to the next.</param>
    public Value Convolve(string name, Value x, int least, int stride = 1, int dilation = 1)
    {
        Enter(name);
        var weight = Weight(name, out var kernel);
        var total = (kernel - 1) * dilation + 1 - stride;
        var right = c.IsCausal ? 0 : total / 2;
        return Normalize(name, graph.Node(
            "Conv", [Pad(x, total - right, right, stride, least), weight, Tensor($"{name}.conv.bias")],
            ("strides", new long[] { stride }), ("dilations", new long[] { dilation })));
    }

    /// <summary>A transposed convolution of the exponential linear unit, to T times stride steps.</summary>
    public Value Transpose(string name, Value x, int stride)
    {
        Enter(name);
        var cutRight = c.IsCausal ? (long)Math.Ceiling(stride * c.TrimRightRatio) : stride / 2;
        long[] cut = [stride - cutRight, cutRight]; // of the kernel's 2 stride taps a stride is too much
        var (weight, bias) = (Weight(name, out _), Tensor($"{name}.conv.bias"));
        if (c.HasWeightNorm)
        {
            return graph.Node(
                "ConvTranspose", [Activate(x), weight, bias], ("strides", new long[] { stride }), ("pads", cut));
        }

        // What is cut off counts where outputs are normalized.
        var whole = Normalize(name, graph.Node("ConvTranspose", [Activate(x), weight, bias], ("strides", new long[] { stride })));
        var end = cut[1] == 0 ? long.MaxValue : -cut[1];
        return graph.Node(
            "Slice", [whole, graph.Constant([cut[0]]), graph.Constant([end]), graph.Constant([2L])]);
    }

    /// <summary>A residual unit.</summary>
    public Value Residual(string name, Value x, int least, int dilation)
    {
        var inner = Convolve(name + ".block.1", Activate(x), least, dilation: dilation);
        var residual = Convolve(name + ".block.3", Activate(inner), least);
        return graph.Sum(c.HasShortcutConvolution ? Convolve(name + ".shortcut", x, least) : x, residual);
    }

    /// <summary>Long short-term memory, added to what it reads.</summary>
    public Value Remember(string name, Value x)
    {
        Enter(name);
        var steps = graph.Transpose(x, 2, 0, 1); // [T, B, W]
        var states = steps;
        foreach (var layer in Enumerable.Range(0, c.RecurrentLayers)) // each layer's tensors are read later, by its own number
        {
            var (place, width) = ($"{name}.lstm", (long)tensors[$"{name}.lstm.weight_hh_l{layer}"].shape[1]);
            var output = graph.Node(
                "LSTM",
                [
                    states, Gates($"{place}.weight_ih_l{layer}"), Gates($"{place}.weight_hh_l{layer}"),
                    Make($"{place}.bias_l{layer}", () => cat(
                        [Reorder(tensors[$"{place}.bias_ih_l{layer}"]), Reorder(tensors[$"{place}.bias_hh_l{layer}"])]).unsqueeze(0)),
                ],
                ("hidden_size", width)); // [T, 1, B, W]
            states = graph.Node("Squeeze", [output, graph.Constant([1L])]);
        }

        return graph.Transpose(graph.Sum(states, steps), 1, 2, 0);

        Value Gates(string weight) => Make(weight, () => Reorder(tensors[weight]).unsqueeze(0));

        // Input, forget, cell, output are stored; ONNX has input, output, forget, cell.
        static Tensor Reorder(Tensor gates)
        {
            var parts = gates.chunk(4, 0);
            return cat([parts[0], parts[3], parts[1], parts[2]]);
        }
    }

    /// <summary>A constant that is made of the codec's tensors.</summary>
    public Value Make(string name, Func<Tensor> make) =>
        graph.Add(name, () => TensorContent.Initializer(name, DataType.Float, make));

    private Value Tensor(string name) => Make(name, () => tensors[name]);

    private Value Weight(string name, out int kernel)
    {
        const string Length = ".conv.parametrizations.weight.original0", Direction = ".conv.parametrizations.weight.original1";
        var stored = tensors[name + (c.HasWeightNorm ? Direction : ".conv.weight")];
        kernel = (int)stored.shape[2];
        return Make($"{name}.conv.weight", () => c.HasWeightNorm
            ? stored * (tensors[name + Length] / stored.square().sum([1L, 2L], keepdim: true).sqrt()) : stored);
    }

    /// <summary>Where outputs are normalized, over channels and time.</summary>
    private Value Normalize(string name, Value x)
    {
        if (c.HasWeightNorm)
            return x;
        var flat = graph.Node("InstanceNormalization",
            [graph.Reshape(x, 0, 1, -1), graph.Constant("float_one", [1f], 1), graph.Constant("float_zero", [0f], 1)],
            ("epsilon", Epsilon));
        var normalized = graph.Node("Reshape", [flat, graph.Node("Shape", [x])]);
        return graph.Sum(
            graph.Product(normalized, Make($"{name}.norm.weight", () => tensors[$"{name}.norm.weight"].unsqueeze(1))),
            Make($"{name}.norm.bias", () => tensors[$"{name}.norm.bias"].unsqueeze(1)));
    }

    /// <summary>Steps before and after a sequence, those included that make whole strides of it.</summary>
    private Value Pad(Value x, int left, int right, int stride, int least)
    {
        if (left == 0 && right == 0 && stride == 1)
            return x;
        Value? length = null;
        var after = graph.Constant([(long)right]);
        if (stride > 1)
            after = graph.Sum(after, graph.Node("Mod", [graph.Node("Neg", [Length()]), graph.Constant([(long)stride])]));
        if (c.Padding != PaddingModes.Reflect)
            return Padded(x, graph.Constant([(long)left]), after, c.Padding == PaddingModes.Replicate ? "edge" : "constant");
        if (least > Math.Max(left, right + stride - 1))
            return Padded(x, graph.Constant([(long)left]), after, "reflect");

        // A sequence shorter than what is to be reflected is lengthened by zeros, of which as many are cut off again.
        var largest = graph.Node("Max", [graph.Constant([(long)left]), after]);
        var missing = graph.Node("Max", [
            graph.Constant([0L]), graph.Node("Sub", [graph.Sum(largest, graph.Constant([1L])), Length()])]);
        var reflected = Padded(Padded(x, graph.Constant([0L]), missing, "constant"), graph.Constant([(long)left]), after, "reflect");
        var end = graph.Sum(graph.Sum(Length(), graph.Constant([(long)left])), after);
        return graph.Node("Slice", [reflected, graph.Constant([0L]), end, graph.Constant([2L])]);

        Value Length() => length ??= graph.Node("Shape", [x], ("start", 2L), ("end", 3L)); // [1]
    }

    /// <param name="x">The sequence.</param>
    /// <param name="left">[1] int64.</param>
    /// <param name="right">[1] int64.</param>
    /// <param name="mode">As the operator calls it.</param>
    private Value Padded(Value x, Value left, Value right, string mode)
    {
        var none = graph.Constant([0L, 0L]);
        return graph.Node("Pad", [x, graph.Concatenate(0, none, left, none, right)], ("mode", mode));
    }

    private void Enter(string name) => graph.EnterScope("/" + name.Replace('.', '/'));
}
