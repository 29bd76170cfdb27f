using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>The layers that codecs of pictures are made of, in float32.</summary>
/// <remarks>B: batch, C: feature maps, H and W: a picture's height and width, K: codewords, D: width of a codeword.</remarks>
/// <param name="graph">Takes the nodes.</param>
/// <param name="tensors">The codec's, by name.</param>
internal sealed class PictureNodes(GraphBuilder graph, IReadOnlyDictionary<string, Tensor> tensors)
{
    /// <summary>Whether the codec has a tensor.</summary>
    public bool Has(string name) => tensors.ContainsKey(name);

    /// <summary>A convolution: [B, inputs, H, W] to [B, outputs, H', W'].</summary>
    /// <param name="weight">The name of its weight, [outputs, inputs, kernel, kernel].</param>
    /// <param name="bias">The name of its bias.</param>
    /// <param name="x">What is read.</param>
    /// <param name="stride">Pixels from a window to the next.</param>
    /// <param name="pads">Zeros above, to the left, below and to the right; null for what leaves a picture its size at stride 1, and
    /// halves it at stride 2.</param>
    public Value Convolve(string weight, string bias, Value x, long stride = 1, long[]? pads = null)
    {
        Enter(weight);
        var around = (tensors[weight].shape[2] - stride + 1) / 2;
        return graph.Node(
            "Conv", [x, Tensor(weight), Tensor(bias)], ("strides", (long[])[stride, stride]),
            ("pads", pads ?? [around, around, around, around]));
    }

    /// <summary>A transposed convolution of 4 x 4 pixels that doubles a picture.</summary>
    public Value Double(string weight, string bias, Value x)
    {
        Enter(weight);
        return graph.Node(
            "ConvTranspose", [x, Tensor(weight), Tensor(bias)], ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1]));
    }

    /// <summary>Each pixel becomes four.</summary>
    public Value Repeat(Value x) => graph.Node(
        "Resize", [x, Value.None, graph.Constant("doubled_sides", [1f, 1f, 2f, 2f], 4)], ("mode", "nearest"),
        ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    /// <summary>Four pixels become one, by <c>MaxPool</c> or <c>AveragePool</c>.</summary>
    public Value Pool(string operation, Value x) =>
        graph.Node(operation, [x], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[2, 2]));

    /// <summary>Normalizes groups of feature maps, with a weight and a bias for each map.</summary>
    public Value NormalizeGroups(string name, Value x, long groups, double epsilon)
    {
        Enter(name + ".weight");
        float[] ones = [.. Enumerable.Repeat(1f, (int)groups)];
        var flat = graph.Node(
            "InstanceNormalization",
            [graph.Reshape(x, 0, groups, -1), graph.Constant("ones", ones, groups), graph.Constant("zeros", new float[groups], groups)],
            ("epsilon", (float)epsilon));
        var normalized = graph.Node("Reshape", [flat, graph.Node("Shape", [x])]);
        return graph.Sum(graph.Product(normalized, ByMap(name + ".weight")), ByMap(name + ".bias"));
    }

    /// <summary>The rows of a table that codes name: [B, rows, columns] to [B, D, rows, columns].</summary>
    /// <param name="table">[K, D].</param>
    /// <param name="codes">Int64.</param>
    /// <param name="bias">What is added to each row; null for nothing.</param>
    public Value Look(Value table, Value codes, Value? bias = null)
    {
        var vectors = graph.Node("Gather", [table, codes], ("axis", 0L));
        return graph.Transpose(bias is null ? vectors : graph.Sum(vectors, bias), 0, 3, 1, 2);
    }

    /// <summary>x a + b, a number for each of the three channels or one for all.</summary>
    public Value Scale(Value x, ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        return graph.Sum(graph.Product(x, Channels("scale", a)), Channels("offset", b));

        Value Channels(string name, ReadOnlySpan<double> numbers)
        {
            float[] values = [.. numbers.ToArray().Select(static number => (float)number)];
            return graph.Constant(FormattableString.Invariant($"{name}_{string.Join('_', values)}"), values, values.Length, 1, 1);
        }
    }

    /// <summary>Cut off below 0 and above 1.</summary>
    public Value Clip(Value x) =>
        graph.Node("Clip", [x, graph.Constant(0.0, DataType.Float), graph.Constant(1.0, DataType.Float)]);

    /// <summary>A tensor as it is.</summary>
    public Value Tensor(string name) => Make(name, () => tensors[name]);

    /// <summary>A constant that is made of the codec's tensors.</summary>
    public Value Make(string name, Func<Tensor> make) => graph.Add(name, () => TensorContent.Initializer(name, DataType.Float, make));

    private Value ByMap(string name) => Make(name, () => tensors[name].view(-1, 1, 1));

    private void Enter(string tensor) => graph.EnterScope("/" + tensor[..tensor.LastIndexOf('.')].Replace('.', '/'));
}
