using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Vits;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>The graph of a VITS as far as it is put together, and the nodes that its parts are made of.</summary>
internal sealed class SpeechNodes(VitsModel model)
{
    private readonly Dictionary<string, Tensor> _tensors = model.CheckpointTensors().ToDictionary(t => t.Key, t => t.Value);

    public GraphBuilder Graph { get; } = new();

    public VitsConfiguration Sizes => model.Sizes;

    /// <summary>A convolution that keeps the length: [N, inputs, T] to [N, outputs, T].</summary>
    /// <param name="name">The layer.</param>
    /// <param name="x">The input.</param>
    /// <param name="dilation">Steps from a tap to the next.</param>
    /// <param name="groups">Channels are seen in so many groups.</param>
    public Value Convolve(string name, Value x, int dilation = 1, int groups = 1)
    {
        var reach = ((int)Shape(name)[2] - 1) * dilation;
        return Graph.Node(
            "Conv", WithBias(name, x), ("pads", new long[] { reach / 2, reach - reach / 2 }), ("dilations", new long[] { dilation }),
            ("group", (long)groups));
    }

    /// <summary>A transposed convolution: [N, inputs, T] to [N, outputs, rate x T].</summary>
    public Value ConvolveTransposed(string name, Value x, int rate)
    {
        var padding = (Shape(name)[2] - rate) / 2;
        return Graph.Node(
            "ConvTranspose", WithBias(name, x), ("strides", new long[] { rate }), ("pads", new[] { padding, padding }));
    }

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Value Multiply(string name, Value x)
    {
        var product = Graph.MatrixProduct(x, Parameter($"{name}.weight", weight => weight.t(), ".t"));
        return _tensors.ContainsKey($"{name}.bias") ? Graph.Sum(product, Parameter($"{name}.bias")) : product;
    }

    /// <summary>A layer norm over the last dimension.</summary>
    public Value Normalize(string name, Value x, double epsilon) => Graph.Node(
        "LayerNormalization", [x, Parameter($"{name}.weight"), Parameter($"{name}.bias")], ("axis", -1L), ("epsilon", (float)epsilon));

    /// <summary>A layer norm over channels: [N, channels, T] to the same shape.</summary>
    public Value NormalizeChannels(string name, Value x, double epsilon) =>
        Graph.Transpose(Normalize(name, Graph.Transpose(x, 0, 2, 1), epsilon), 0, 2, 1);

    /// <summary>A parameter, as it is or as a function of it.</summary>
    public Value Parameter(string name, Func<Tensor, Tensor>? make = null, string suffix = "") => Graph.Add(name + suffix, () =>
        TensorContent.Initializer(name + suffix, DataType.Float, () => make is null ? _tensors[name] : make(_tensors[name])));

    public bool Has(string parameter) => _tensors.ContainsKey(parameter);

    public Value Number(double value) => Graph.Constant(value, DataType.Float);

    /// <summary>From a place to before another one along a dimension.</summary>
    public Value Slice(Value x, int axis, long start, long end) =>
        Graph.Node("Slice", [x, Graph.Constant([start]), Graph.Constant([end]), Graph.Constant([axis])]);

    public Value Difference(Value a, Value b) => Graph.Node("Sub", [a, b]);

    public Value Quotient(Value a, Value b) => Graph.Node("Div", [a, b]);

    public Value Unsqueeze(Value x, params long[] axes) => Graph.Node("Unsqueeze", [x, Graph.Constant(axes)]);

    /// <summary>Sums over a dimension that goes.</summary>
    public Value SumOver(Value x, long axis, bool keeps = false) =>
        Graph.Node("ReduceSum", [x, Graph.Constant([axis])], ("keepdims", keeps ? 1L : 0L));

    /// <summary>0 to before a scalar int64.</summary>
    public Value Range(Value end) =>
        Graph.Node("Range", [Graph.Constant([0], isScalar: true), end, Graph.Constant([1], isScalar: true)]);

    /// <summary>The elements along the last dimension that an index of the same other dimensions tells.</summary>
    public Value GatherLast(Value x, Value index, long lastAxis) => Graph.Node("GatherElements", [x, index], ("axis", lastAxis));

    public Value LeakyRelu(Value x, double slope) => Graph.Node("LeakyRelu", [x], ("alpha", (float)slope));

    private Value[] WithBias(string name, Value x)
    {
        var isNormalized = !_tensors.ContainsKey($"{name}.{ConvolutionWeight.Plain}");
        var weight = isNormalized
            ? Parameter($"{name}.{ConvolutionWeight.Direction}", direction => ConvolutionWeight.Fold(
                _tensors[$"{name}.{ConvolutionWeight.Length}"], direction))
            : Parameter($"{name}.{ConvolutionWeight.Plain}");
        return _tensors.ContainsKey($"{name}.bias") ? [x, weight, Parameter($"{name}.bias")] : [x, weight];
    }

    private long[] Shape(string name) => (_tensors.GetValueOrDefault($"{name}.{ConvolutionWeight.Plain}")
        ?? _tensors[$"{name}.{ConvolutionWeight.Direction}"]).shape;
}
