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
            value = ActivationNodes.Apply(_graph, module.Layer.FinalActivation, value, DataType.Float, module.Layer.FinalSlope);
        }

        return value;
    }

    private Value AddLayer(Value x, LayerModule module, string name)
    {
        switch (module.Layer)
        {
            case DenseLayer { HasBias: true } when module.InputShape.Length == 1:
                return _graph.Node("Gemm", [x, Weight("weight"), Weight("bias")], ("transB", 1L));
            case DenseLayer dense:
                var product = _graph.MatrixProduct(x, Weight("weight", weight => weight.t()));
                return dense.HasBias ? _graph.Sum(product, Weight("bias")) : product;
            case ConvolutionLayer convolution:
                return Convolution("Conv", convolution.HasBias, convolution.Stride, convolution.Padding, convolution.Dilation,
                    convolution.Groups);
            case TransposedConvolutionLayer convolution:
                return Convolution("ConvTranspose", convolution.HasBias, convolution.Stride, convolution.Padding, convolution.Dilation,
                    convolution.Groups, ("output_padding", convolution.OutputPadding.ToArray()));
            case BatchNormalizationLayer normalization:
                return BatchNormalization(normalization);
            case LayerNormalizationLayer normalization:
                return LayerNormalization(normalization);
            case MaximumPoolingLayer pooling:
                return Pooling("MaxPool", pooling.Size, pooling.Stride, pooling.Padding);
            case AveragePoolingLayer pooling:
                return Pooling("AveragePool", pooling.Size, pooling.Stride, pooling.Padding,
                    ("count_include_pad", pooling.CountsPadding ? 1L : 0L));
            case AdaptiveAveragePoolingLayer pooling:
                return AdaptivePooling(pooling.Size);
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

        Value Convolution(
            string operation, bool hasBias, HeightWidth stride, HeightWidth padding, HeightWidth dilation, long groups,
            params ReadOnlySpan<(string Name, object Value)> further) => _graph.Node(
                operation, hasBias ? [x, Weight("weight"), Weight("bias")] : [x, Weight("weight")],
                [("strides", stride.ToArray()), ("pads", Pads(padding)), ("dilations", dilation.ToArray()), ("group", groups), .. further]);

        Value Pooling(
            string operation, HeightWidth size, HeightWidth? stride, HeightWidth padding,
            params ReadOnlySpan<(string Name, object Value)> further) => _graph.Node(
                operation, [x],
                [
                    ("kernel_shape", size.ToArray()), ("strides", (stride ?? size).ToArray()), ("pads", Pads(padding)), .. further,
                ]);

        Value BatchNormalization(BatchNormalizationLayer layer)
        {
            var channels = (int)module.InputShape[0];
            return _graph.Node(
                "BatchNormalization",
                [
                    x, layer.HasWeights ? Weight("weight") : Filled("ones", 1, channels),
                    layer.HasWeights ? Weight("bias") : Filled("zeros", 0, channels), Weight("running_mean"), Weight("running_var"),
                ],
                ("epsilon", (float)layer.Epsilon));
        }

        // The operator LayerNormalization is younger than the graph of a pretrained network may be.
        Value LayerNormalization(LayerNormalizationLayer layer)
        {
            long[] axes = [.. Enumerable.Range(-layer.Dimensions, layer.Dimensions).Select(axis => (long)axis)];
            var centered = _graph.Node("Sub", [x, _graph.Mean(x, axes)]);
            var variance = _graph.Mean(_graph.Product(centered, centered), axes);
            var deviation = _graph.Node("Sqrt", [_graph.Sum(variance, _graph.Constant(layer.Epsilon, DataType.Float))]);
            var normalized = _graph.Node("Div", [centered, deviation]);
            if (layer.HasWeights)
                normalized = _graph.Product(normalized, Weight("weight"));
            return layer.HasWeights && layer.HasBias ? _graph.Sum(normalized, Weight("bias")) : normalized;
        }

        // The windows of rows from the left and of columns from the right: [.., height, width] to [.., size.Height, size.Width].
        Value AdaptivePooling(HeightWidth size)
        {
            var (height, width) = (module.InputShape[1], module.InputShape[2]);
            var rows = _graph.Constant(
                $"windows_{height}_{size.Height}", AdaptiveAveragePoolingLayer.Windows(height, size.Height), size.Height, height);
            var columns = _graph.Constant(
                $"windows_{width}_{size.Width}", AdaptiveAveragePoolingLayer.Windows(width, size.Width), size.Width, width);
            return _graph.MatrixProduct(rows, _graph.MatrixProduct(x, _graph.Transpose(columns, 1, 0)));
        }
    }

    private Value Filled(string name, float value, int count)
    {
        var values = new float[count];
        Array.Fill(values, value);
        return _graph.Constant($"{name}_{count}", values, count);
    }

    private static long[] Pads(HeightWidth padding) => [padding.Height, padding.Width, padding.Height, padding.Width];

    private Value Upsampling(Value x, HeightWidth factor)
    {
        var factors = _graph.Constant($"upsampling.scales_{factor.Height}_{factor.Width}", [1, 1, factor.Height, factor.Width], 4);
        return _graph.OperatorSet < 11
            ? _graph.Node(_graph.OperatorSet < 10 ? "Upsample" : "Resize", [x, factors], ("mode", "nearest"))
            : _graph.Node(
                "Resize", [x, _graph.Constant("upsampling.region", [], 0), factors],
                ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));
    }
}
