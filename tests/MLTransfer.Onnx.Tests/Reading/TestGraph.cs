using Google.Protobuf;
using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Schema;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Reading;

/// <summary>Builds small ONNX files with one input <c>x</c>, whose last node's first output is the output.</summary>
internal sealed class TestGraph
{
    private readonly ModelProto _model;

    public TestGraph(int opset, params long?[] inputShape)
    {
        _model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "test" },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } } };
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto() };
        foreach (var extent in inputShape)
            type.Shape.Dim.Add(extent is { } known
                ? new TensorShapeProto.Types.Dimension { DimValue = known }
                : new TensorShapeProto.Types.Dimension { DimParam = "batch" });
        _model.Graph.Input.Add(new ValueInfoProto { Name = "x", Type = new TypeProto { TensorType = type } });
    }

    public ModelProto Model => _model;

    public TestGraph Weight(string name, params long[] shape) => Add(name, randn(shape, generator: new Generator(17)) * 0.5);

    public TestGraph Positive(string name, params long[] shape) => Add(name, rand(shape, generator: new Generator(18)) + 0.5);

    public TestGraph Floats(string name, params float[] values) => Add(name, tensor(values));

    public TestGraph Scalar(string name, float value) => Add(name, tensor(value));

    public TestGraph Integers(string name, params long[] values)
    {
        _model.Graph.Initializer.Add(new TensorProto
        {
            Name = name, DataType = (int)TensorProto.Types.DataType.Int64, Dims = { values.Length }, Int64Data = { values },
        });
        return this;
    }

    /// <summary>A float32 tensor of a file.</summary>
    public static TensorProto ToProto(string name, Tensor tensor)
    {
        var proto = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Float, Dims = { tensor.shape } };
        OnnxTensor.Replace(proto, tensor);
        return proto;
    }

    /// <summary>Adds a node; inputs and outputs are separated by blanks, <c>_</c> is an input that is left out.</summary>
    public TestGraph Node(string operation, string inputs, string outputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = operation, Name = $"{operation}_{_model.Graph.Node.Count}" };
        node.Input.AddRange(inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name == "_" ? "" : name));
        node.Output.AddRange(outputs.Split(' '));
        foreach (var (name, value) in attributes)
        {
            var attribute = new AttributeProto { Name = name };
            switch (value)
            {
                case int number:
                    (attribute.I, attribute.Type) = (number, AttributeProto.Types.AttributeType.Int);
                    break;
                case float number:
                    (attribute.F, attribute.Type) = (number, AttributeProto.Types.AttributeType.Float);
                    break;
                case string text:
                    (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeProto.Types.AttributeType.String);
                    break;
                case TensorProto constant:
                    (attribute.T, attribute.Type) = (constant, AttributeProto.Types.AttributeType.Tensor);
                    break;
                case long[] numbers:
                    attribute.Ints.AddRange(numbers);
                    attribute.Type = AttributeProto.Types.AttributeType.Ints;
                    break;
            }

            node.Attribute.Add(attribute);
        }

        _model.Graph.Node.Add(node);
        return this;
    }

    public byte[] ToBytes()
    {
        _model.Graph.Output.Clear();
        _model.Graph.Output.Add(new ValueInfoProto
        {
            Name = _model.Graph.Node[^1].Output[0],
            Type = new TypeProto { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
        });
        return _model.ToByteArray();
    }

    public OnnxGraph ToGraph(string? outputName = null) => OnnxGraph.Read(ToBytes(), "test.onnx", outputName);

    private TestGraph Add(string name, Tensor values)
    {
        using (values)
            _model.Graph.Initializer.Add(ToProto(name, values));
        return this;
    }
}
