using Google.Protobuf;
using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a pretrained network with its new layers as one ONNX graph.</summary>
internal sealed class NetworkToOnnx
{
    private const int Opset = 17;
    private const int IrVersion = 8; // of opset 17

    private readonly ModelProto _model;
    private readonly HashSet<string> _names;
    private string _value;

    private NetworkToOnnx(ModelProto model, string value)
    {
        (_model, _value) = (model, value);
        _names = [.. model.Graph.Node.SelectMany(node => node.Output).Concat(model.Graph.Initializer.Select(tensor => tensor.Name))
            .Concat(model.Graph.Input.Select(input => input.Name))];
    }

    /// <summary>Makes the graph.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputName">What the graph's input is called: [batch, input shape].</param>
    /// <param name="outputName">What the graph's output is called: [batch, output shape].</param>
    /// <param name="scale">What the input is multiplied with first, per channel or one factor; null for nothing.</param>
    /// <param name="offset">What is added to that, per channel or one number; null for nothing.</param>
    /// <exception cref="NotSupportedException">The pretrained network has no graph that could be written.</exception>
    public static ModelProto Create(TransferNetwork network, string inputName, string outputName, float[]? scale, float[]? offset)
    {
        var graph = Begin(network, inputName);
        if (scale is not null && offset is not null)
            graph.AddScaling(inputName, scale, offset);
        if (network.Pretrained is ModuleBaseNetwork { Module: LayerSequence layers })
            graph.AddLayers(layers, "base");
        graph.AddLayers(network.NewLayers, "new");
        return graph.Finish(outputName, network.OutputShape);
    }

    private static NetworkToOnnx Begin(TransferNetwork network, string inputName)
    {
        var input = Value(inputName, network.InputShape);
        switch (network.Pretrained)
        {
            case null or ModuleBaseNetwork { Module: LayerSequence }:
                var model = new ModelProto
                {
                    IrVersion = IrVersion,
                    ProducerName = "MLTransfer",
                    Graph = new GraphProto { Name = "network", Input = { input } },
                    OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } },
                };
                return new NetworkToOnnx(model, inputName);
            case OnnxBaseNetwork pretrained:
                var copy = pretrained.ToModel();
                var oldInput = copy.Graph.Input.Single(i => i.Name == pretrained.Graph.Input);
                copy.ProducerName = "MLTransfer";
                copy.Graph.Output.Clear();
                copy.Graph.ValueInfo.Clear(); // they may name a value that is renamed now
                if (pretrained.Graph.BatchSize is { } batch)
                    input.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = batch };
                copy.Graph.Input.Remove(oldInput);
                copy.Graph.Input.Add(input);
                if (oldInput.Name != inputName)
                    Rename(copy.Graph, oldInput.Name, inputName, pretrained.Graph);
                return new NetworkToOnnx(copy, pretrained.Graph.Output);
            default:
                throw new NotSupportedException(
                    $"{network.Pretrained.Description} has no graph that could be written to an ONNX file: networks from ONNX files and described "
                    + "layers have.");
        }
    }

    private static void Rename(GraphProto graph, string oldName, string newName, OnnxGraph origin)
    {
        if (graph.Node.Any(node => node.Output.Contains(newName)) || graph.Initializer.Any(tensor => tensor.Name == newName))
            throw new ArgumentException($"'{origin.Location}' has a value '{newName}' already: give the input column another name.");
        foreach (var node in graph.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
            {
                if (node.Input[i] == oldName)
                    node.Input[i] = newName;
            }
        }
    }

    // In front of the nodes that take the input.
    private void AddScaling(string inputName, float[] scale, float[] offset)
    {
        var takers = _model.Graph.Node.ToList();
        _model.Graph.Node.Clear();
        using var scope = NewDisposeScope();
        var before = _value;
        _value = inputName;
        Add("Mul", Weight("input.scale", tensor(scale, [scale.Length, 1, 1])));
        Add("Add", Weight("input.offset", tensor(offset, [offset.Length, 1, 1])));
        foreach (var node in takers)
        {
            for (var i = 0; i < node.Input.Count; i++)
            {
                if (node.Input[i] == inputName)
                    node.Input[i] = _value;
            }
        }

        _model.Graph.Node.AddRange(takers);
        if (before != inputName)
            _value = before;
    }

    private void AddLayers(LayerSequence layers, string prefix)
    {
        foreach (var module in layers.Layers)
        {
            AddLayer(module, $"{prefix}.{module.LayerName}");
            AddActivation(module.Layer.FinalActivation);
        }
    }

    private void AddLayer(LayerModule module, string name)
    {
        switch (module.Layer)
        {
            case DenseLayer when module.InputShape.Length == 1:
                Add("Gemm", Layer("weight"), Layer("bias")).Attribute.Add(Number("transB", 1));
                break;
            case DenseLayer:
                using (var transposed = module.Weights["weight"].t())
                    Add("MatMul", Weight($"{name}.weight", transposed));
                Add("Add", Layer("bias"));
                break;
            case ConvolutionLayer convolution:
                Add("Conv", Layer("weight"), Layer("bias")).Attribute.AddRange(
                    [Pair("strides", convolution.Stride), Numbers("pads", Enumerable.Repeat((long)convolution.Padding, 4))]);
                break;
            case TransposedConvolutionLayer convolution:
                Add("ConvTranspose", Layer("weight"), Layer("bias")).Attribute.AddRange(
                    [Pair("strides", convolution.Stride), Numbers("pads", Enumerable.Repeat((long)convolution.Padding, 4))]);
                break;
            case BatchNormalizationLayer:
                Add("BatchNormalization", Layer("weight"), Layer("bias"), Layer("running_mean"), Layer("running_var"))
                    .Attribute.Add(Fraction("epsilon", BatchNormalizationLayer.Epsilon));
                break;
            case LayerNormalizationLayer:
                AddLayerNormalization(Layer("weight"), Layer("bias"));
                break;
            case MaximumPoolingLayer pooling:
                Add("MaxPool").Attribute.AddRange([Pair("kernel_shape", pooling.Size), Pair("strides", pooling.Size)]);
                break;
            case AveragePoolingLayer pooling:
                Add("AveragePool").Attribute.AddRange([Pair("kernel_shape", pooling.Size), Pair("strides", pooling.Size)]);
                break;
            case GlobalAveragePoolingLayer:
                Add("GlobalAveragePool");
                Add("Flatten");
                break;
            case UpsamplingLayer upsampling:
                AddUpsampling(upsampling.Factor);
                break;
            case FlattenLayer:
                Add("Flatten");
                break;
            case ReshapeLayer reshape:
                Add("Reshape", Constant(OnnxTensor.CreateIntegers(Unused("shape"), [-1, .. reshape.Shape])));
                break;
            case ActivationLayer or DropoutLayer:
                break;
            default:
                throw new NotSupportedException($"The layer {module.Layer.GetType().Name} cannot be written to an ONNX file.");
        }

        string Layer(string weight) => Weight($"{name}.{weight}", module.Weights[weight]);
    }

    private void AddActivation(Activation activation)
    {
        switch (activation)
        {
            case Activation.None:
                break;
            case Activation.LeakyRelu:
                Add("LeakyRelu").Attribute.Add(Fraction("alpha", ActivationFunction.LeakySlope));
                break;
            case Activation.Softmax:
                Add("Softmax").Attribute.Add(Number("axis", -1));
                break;
            case Activation.Silu:
                var input = _value;
                Add("Sigmoid");
                Add("Mul", input);
                break;
            case Activation.Gelu: // x (1 + erf(x / sqrt 2)) / 2
                input = _value;
                Add("Mul", Scalar(Math.Sqrt(0.5)));
                Add("Erf");
                Add("Add", Scalar(1));
                Add("Mul", input);
                Add("Mul", Scalar(0.5));
                break;
            default:
                Add(activation.ToString()); // Relu, Sigmoid and Tanh are called so there too
                break;
        }
    }

    // The operator LayerNormalization is younger than the graph of a pretrained network may be.
    private void AddLayerNormalization(string weight, string bias)
    {
        var input = _value;
        var mean = AddMean();
        _value = input;
        Add("Sub", mean);
        var centered = _value;
        Add("Mul", centered);
        AddMean();
        Add("Add", Scalar(LayerNormalizationLayer.Epsilon));
        Add("Sqrt");
        var deviation = _value;
        _value = centered;
        Add("Div", deviation);
        Add("Mul", weight);
        Add("Add", bias);
    }

    // Over the last dimension.
    private string AddMean()
    {
        var axes = Version >= 18 ? (string[])[Constant(OnnxTensor.CreateIntegers(Unused("axes"), -1))] : [];
        var node = Add("ReduceMean", axes);
        if (Version < 18)
            node.Attribute.Add(Numbers("axes", [-1]));
        return _value;
    }

    private void AddUpsampling(int factor)
    {
        using var scope = NewDisposeScope();
        var factors = Weight("upsampling.scales", tensor(new float[] { 1, 1, factor, factor }));
        if (Version < 11)
        {
            Add("Resize", factors).Attribute.Add(Text("mode", "nearest"));
            return;
        }

        var region = Weight("upsampling.region", zeros(0));
        Add("Resize", region, factors).Attribute.AddRange(
            [Text("mode", "nearest"), Text("coordinate_transformation_mode", "asymmetric"), Text("nearest_mode", "floor")]);
    }

    private long Version => _model.OpsetImport.First(import => import.Domain is "" or "ai.onnx").Version;

    private ModelProto Finish(string outputName, IReadOnlyList<long> shape)
    {
        if (_names.Contains(outputName))
            throw new ArgumentException($"The graph has a value '{outputName}' already: give the output column another name than the input column.");
        _model.Graph.Node.Add(new NodeProto { OpType = "Identity", Name = "output", Input = { _value }, Output = { outputName } });
        _model.Graph.Output.Add(Value(outputName, shape));
        return _model;
    }

    /// <summary>Adds a node whose first input is the value so far, and whose output is the value from now on.</summary>
    private NodeProto Add(string operation, params IReadOnlyList<string> otherInputs)
    {
        var output = Unused(operation.ToLowerInvariant());
        var node = new NodeProto { OpType = operation, Name = output, Input = { _value }, Output = { output } };
        node.Input.AddRange(otherInputs);
        _model.Graph.Node.Add(node);
        _value = output;
        return node;
    }

    private string Weight(string name, Tensor tensor) => Constant(OnnxTensor.Create(Unused(name), tensor));

    private string Scalar(double value)
    {
        using var scalar = tensor((float)value);
        return Weight("constant", scalar);
    }

    private string Constant(TensorProto tensor)
    {
        _model.Graph.Initializer.Add(tensor);
        if (_model.IrVersion < 4) // which wants every weight to be an input too
        {
            var type = new TypeProto.Types.Tensor { ElemType = tensor.DataType, Shape = new TensorShapeProto() };
            var value = new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = type } };
            type.Shape.Dim.AddRange(tensor.Dims.Select(extent => new TensorShapeProto.Types.Dimension { DimValue = extent }));
            _model.Graph.Input.Add(value);
        }

        return tensor.Name;
    }

    private string Unused(string name)
    {
        var unused = name;
        for (var i = 1; !_names.Add(unused); i++)
            unused = $"{name}_{i}";
        return unused;
    }

    private static ValueInfoProto Value(string name, IReadOnlyList<long> shape)
    {
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto() };
        type.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "batch" });
        type.Shape.Dim.AddRange(shape.Select(extent => new TensorShapeProto.Types.Dimension { DimValue = extent }));
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } };
    }

    private static AttributeProto Number(string name, long value) => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    private static AttributeProto Fraction(string name, double value) =>
        new() { Name = name, F = (float)value, Type = AttributeProto.Types.AttributeType.Float };

    private static AttributeProto Text(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeProto.Types.AttributeType.String };

    private static AttributeProto Pair(string name, long value) => Numbers(name, [value, value]);

    private static AttributeProto Numbers(string name, IEnumerable<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }
}
