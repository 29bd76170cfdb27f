using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>A pretrained network with its new layers as one graph. Layers are written in operators that every opset has.</summary>
internal sealed class NetworkToOnnx
{
    private const int NewOperatorSet = 17;

    private readonly GraphBuilder _graph;

    private NetworkToOnnx(GraphBuilder graph)
    {
        _graph = graph;
    }

    /// <summary>Makes the graph.</summary>
    /// <param name="network">The network, whose weights are read when the graph is written.</param>
    /// <param name="inputName">What the graph's input is called: [batch, input shape].</param>
    /// <param name="outputName">What the graph's output is called: [batch, output shape].</param>
    /// <param name="scale">What the input is multiplied with first, per channel or one factor; null for nothing.</param>
    /// <param name="offset">What is added to that, per channel or one number; null for nothing.</param>
    /// <exception cref="ArgumentException">Input and output have the same name.</exception>
    /// <exception cref="NotSupportedException">The pretrained network has no graph that could be written.</exception>
    public static GraphBuilder Create(TransferNetwork network, string inputName, string outputName, float[]? scale, float[]? offset)
    {
        var pretrained = network.Pretrained as OnnxBaseNetwork;
        var graph = network.Pretrained switch
        {
            null or ModuleBaseNetwork { Module: LayerSequence } => new GraphBuilder(NewOperatorSet) { HasPlainNames = true },
            OnnxBaseNetwork => new GraphBuilder(pretrained!.ToModel(), pretrained.Graph.Input) { HasPlainNames = true },
            _ => throw new NotSupportedException(
                $"{network.Pretrained.Description} has no graph that could be written to an ONNX file: networks from ONNX files and "
                + "described layers have."),
        };
        var batch = pretrained?.Graph.BatchSize is { } fixedSize ? fixedSize : (Dimension)"batch";
        var layers = new NetworkToOnnx(graph);
        var value = graph.Input(inputName, DataType.Float, [batch, .. network.InputShape.Select(extent => (Dimension)extent)]);
        if (scale is not null && offset is not null)
            value = graph.Sum(graph.Product(value, Channels("input.scale", scale)), Channels("input.offset", offset));
        if (pretrained is not null)
            value = graph.Continue(value, pretrained.Graph.Output);
        if (network.Pretrained is ModuleBaseNetwork { Module: LayerSequence described })
            value = layers.AddLayers(value, described, "base");
        value = layers.AddLayers(value, network.NewLayers, "new");
        graph.Output(
            outputName, graph.Node("Identity", [value]), DataType.Float,
            ["batch", .. network.OutputShape.Select(extent => (Dimension)extent)]);
        return graph;

        Value Channels(string name, float[] values) => graph.Constant(name, values, values.Length, 1, 1);
    }

    private Value AddLayers(Value value, LayerSequence layers, string prefix)
    {
        foreach (var module in layers.Layers)
        {
            value = AddLayer(value, module, $"{prefix}.{module.LayerName}");
            value = ActivationNodes.Apply(_graph, module.Layer.FinalActivation, value, DataType.Float);
        }

        return value;
    }

    private Value AddLayer(Value x, LayerModule module, string name)
    {
        switch (module.Layer)
        {
            case DenseLayer when module.InputShape.Length == 1:
                return _graph.Node("Gemm", [x, Weight("weight"), Weight("bias")], ("transB", 1L));
            case DenseLayer:
                return _graph.Sum(_graph.MatrixProduct(x, Weight("weight", weight => weight.t())), Weight("bias"));
            case ConvolutionLayer convolution:
                return Convolution("Conv", convolution.Stride, convolution.Padding);
            case TransposedConvolutionLayer convolution:
                return Convolution("ConvTranspose", convolution.Stride, convolution.Padding);
            case BatchNormalizationLayer:
                return _graph.Node(
                    "BatchNormalization", [x, Weight("weight"), Weight("bias"), Weight("running_mean"), Weight("running_var")],
                    ("epsilon", (float)BatchNormalizationLayer.Epsilon));
            case LayerNormalizationLayer:
                return LayerNormalization(x, Weight("weight"), Weight("bias"));
            case MaximumPoolingLayer pooling:
                return Pooling("MaxPool", pooling.Size);
            case AveragePoolingLayer pooling:
                return Pooling("AveragePool", pooling.Size);
            case GlobalAveragePoolingLayer:
                return _graph.Node("Flatten", [_graph.Node("GlobalAveragePool", [x])]);
            case UpsamplingLayer upsampling:
                return Upsampling(x, upsampling.Factor);
            case FlattenLayer:
                return _graph.Node("Flatten", [x]);
            case ReshapeLayer reshape:
                return _graph.Reshape(x, [-1, .. reshape.Shape]);
            case ActivationLayer or DropoutLayer:
                return x;
            default:
                throw new NotSupportedException($"The layer {module.Layer.GetType().Name} cannot be written to an ONNX file.");
        }

        Value Weight(string weight, Func<Tensor, Tensor>? make = null) => _graph.Add($"{name}.{weight}", () => TensorContent.Initializer(
            $"{name}.{weight}", DataType.Float, () => make is null ? module.Weights[weight] : make(module.Weights[weight])));

        Value Convolution(string operation, long stride, long padding) => _graph.Node(
            operation, [x, Weight("weight"), Weight("bias")],
            ("strides", new[] { stride, stride }), ("pads", new[] { padding, padding, padding, padding }));

        Value Pooling(string operation, long size) =>
            _graph.Node(operation, [x], ("kernel_shape", new[] { size, size }), ("strides", new[] { size, size }));
    }

    // The operator LayerNormalization is younger than the graph of a pretrained network may be.
    private Value LayerNormalization(Value x, Value weight, Value bias)
    {
        var centered = _graph.Node("Sub", [x, _graph.Mean(x, -1)]);
        var variance = _graph.Mean(_graph.Product(centered, centered), -1);
        var deviation = _graph.Node("Sqrt", [_graph.Sum(variance, _graph.Constant(LayerNormalizationLayer.Epsilon, DataType.Float))]);
        return _graph.Sum(_graph.Product(_graph.Node("Div", [centered, deviation]), weight), bias);
    }

    private Value Upsampling(Value x, int factor)
    {
        var factors = _graph.Constant($"upsampling.scales_{factor}", [1, 1, factor, factor], 4);
        return _graph.OperatorSet < 11
            ? _graph.Node("Resize", [x, factors], ("mode", "nearest"))
            : _graph.Node(
                "Resize", [x, _graph.Constant("upsampling.region", [], 0), factors],
                ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));
    }
}
