using System.Runtime.InteropServices;
using Google.Protobuf;
using MLTransfer.Onnx.Schema;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Graphs;

/// <summary>Puts a graph together, node by node in the order of computation.</summary>
internal sealed class GraphBuilder
{
    /// <summary>Operators of ONNX Runtime that are not of the ONNX standard.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private readonly List<GraphNode> _nodes = [];
    private readonly List<ValueInfoProto> _inputs = [];
    private readonly List<(Value Value, DataType Type, Dimension[] Shape)> _outputs = [];
    private readonly Dictionary<string, (Value Value, Initializer Initializer)> _initializers = [];
    private readonly Dictionary<string, int> _names = [];
    private string _scope = "";

    /// <summary>Constant tensors, in the order of their first use.</summary>
    public IReadOnlyCollection<Initializer> Initializers => [.. _initializers.Values.Select(entry => entry.Initializer)];

    /// <summary>What follows is named <c>/part/...</c>, as exporters that trace modules name it.</summary>
    public void EnterScope(string scope) => _scope = scope;

    public Value Input(string name, DataType type, params ReadOnlySpan<Dimension> shape)
    {
        _inputs.Add(Describe(name, type, shape));
        return new Value(name);
    }

    /// <summary>Makes a value an output and gives it its name.</summary>
    public void Output(string name, Value value, DataType type, params ReadOnlySpan<Dimension> shape)
    {
        value.Name = name;
        _outputs.Add((value, type, shape.ToArray()));
    }

    /// <summary>A constant tensor; one that is known by this name already is used again.</summary>
    public Value Add(string name, Func<Initializer> create)
    {
        if (!_initializers.TryGetValue(name, out var entry))
            _initializers.Add(name, entry = (new Value(name), create()));
        return entry.Value;
    }

    /// <summary>[values.Length] int64, or a scalar.</summary>
    public Value Constant(ReadOnlySpan<long> values, bool isScalar = false)
    {
        var bytes = MemoryMarshal.AsBytes(values).ToArray();
        var name = $"int64{(isScalar ? "" : "s")}_{string.Join('_', values.ToArray())}";
        long[] shape = isScalar ? [] : [values.Length];
        return Add(name, () => new Initializer(name, DataType.Int64, shape, stream => stream.Write(bytes)));
    }

    /// <summary>A scalar uint8.</summary>
    public Value Constant(byte value) => Add($"uint8_{value}", () => new Initializer($"uint8_{value}", DataType.Uint8, [], stream => stream.WriteByte(value)));

    /// <summary>A scalar of a floating-point type.</summary>
    public Value Constant(double value, DataType type)
    {
        var bytes = type == DataType.Float16 ? BitConverter.GetBytes((Half)value) : BitConverter.GetBytes((float)value);
        var name = FormattableString.Invariant($"{type}_{value:R}").ToLowerInvariant();
        return Add(name, () => new Initializer(name, type, [], stream => stream.Write(bytes)));
    }

    public Value Node(string operation, ReadOnlySpan<Value> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(operation, 1, inputs, "", attributes)[0];

    /// <summary>A node of ONNX Runtime's own operators.</summary>
    public Value[] RuntimeNode(string operation, int outputs, ReadOnlySpan<Value> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(operation, outputs, inputs, RuntimeDomain, attributes);

    public Value[] Nodes(
        string operation, int outputs, ReadOnlySpan<Value> inputs, string domain = "", params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var name = UniqueName($"{_scope}/{operation}");
        Value[] results = [.. Enumerable.Range(0, outputs).Select(i => new Value($"{name}_output_{i}"))];
        _nodes.Add(new GraphNode(name, operation, domain, inputs.ToArray(), results, [.. attributes.ToArray().Select(a => Attribute(a.Name, a.Value))]));
        return results;
    }

    public Value Sum(Value a, Value b) => Node("Add", [a, b]);

    public Value Product(Value a, Value b) => Node("Mul", [a, b]);

    public Value MatrixProduct(Value a, Value b) => Node("MatMul", [a, b]);

    public Value Reshape(Value value, params ReadOnlySpan<long> shape) => Node("Reshape", [value, Constant(shape)]);

    public Value Transpose(Value value, params long[] permutation) => Node("Transpose", [value], ("perm", permutation));

    public Value Cast(Value value, DataType type) => Node("Cast", [value], ("to", (long)type));

    public Value Concatenate(int axis, params ReadOnlySpan<Value> values) => Node("Concat", values, ("axis", (long)axis));

    /// <summary>The extent of a dimension: a scalar int64.</summary>
    public Value Size(Value value, int dimension) =>
        Node("Gather", [Node("Shape", [value]), Constant([dimension], isScalar: true)], ("axis", 0L));

    /// <summary>The graph without its initializers, which the writer adds.</summary>
    public GraphProto Build(string name)
    {
        var graph = new GraphProto { Name = name };
        graph.Input.AddRange(_inputs);
        graph.Output.AddRange(_outputs.Select(output => Describe(output.Value.Name, output.Type, output.Shape)));
        graph.Node.AddRange(_nodes.Select(node => node.ToProto()));
        return graph;
    }

    /// <summary>Whether ONNX Runtime's own operators occur.</summary>
    public bool UsesRuntimeDomain => _nodes.Any(node => node.Domain == RuntimeDomain);

    private string UniqueName(string name)
    {
        var count = CollectionsMarshal.GetValueRefOrAddDefault(_names, name, out _)++;
        return count == 0 ? name : $"{name}_{count}";
    }

    private static ValueInfoProto Describe(string name, DataType type, ReadOnlySpan<Dimension> shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = new TensorShapeProto() };
        foreach (var dimension in shape)
        {
            tensor.Shape.Dim.Add(dimension.Name is null
                ? new TensorShapeProto.Types.Dimension { DimValue = dimension.Size }
                : new TensorShapeProto.Types.Dimension { DimParam = dimension.Name });
        }

        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                (attribute.I, attribute.Type) = (number, AttributeProto.Types.AttributeType.Int);
                break;
            case float number:
                (attribute.F, attribute.Type) = (number, AttributeProto.Types.AttributeType.Float);
                break;
            case long[] numbers:
                attribute.Ints.AddRange(numbers);
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                break;
            case string text:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeProto.Types.AttributeType.String);
                break;
            default:
                throw new NotSupportedException($"Attributes of type {value.GetType()} are not written.");
        }

        return attribute;
    }

    private sealed record GraphNode(string Name, string Operation, string Domain, Value[] Inputs, Value[] Outputs, AttributeProto[] Attributes)
    {
        public NodeProto ToProto()
        {
            var node = new NodeProto { Name = Name, OpType = Operation };
            if (Domain.Length > 0)
                node.Domain = Domain;
            node.Input.AddRange(Inputs.Select(input => input.Name));
            node.Output.AddRange(Outputs.Select(output => output.Name));
            node.Attribute.AddRange(Attributes);
            return node;
        }
    }
}
