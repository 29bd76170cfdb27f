using System.Runtime.InteropServices;
using MLTransfer.Onnx.Schema;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Graphs;

/// <summary>Puts a graph together, node by node in the order of computation: a new one, or one around the graph of a file.</summary>
/// <remarks>
/// Names of inputs and outputs are those that are asked for; a value inside that has such a name gets another one. All other names are made
/// unlike those that there are.
/// </remarks>
internal sealed class GraphBuilder
{
    /// <summary>Operators of ONNX Runtime that are not of the ONNX standard.</summary>
    public const string RuntimeDomain = "com.microsoft";

    /// <summary>The version of the file format that knows opset 18; ONNX Runtime reads it since 1.14.</summary>
    private const long FormatVersion = 8;

    /// <summary>Files of older versions list weights as inputs too.</summary>
    private const long FormatWithoutWeightsAsInputs = 4;

    private readonly ModelProto _model;
    private readonly BaseGraph? _base;
    private List<GraphNode> _nodes = []; // of the graph, or of the body that is put together
    private readonly List<(Value Value, ValueInfoProto Description)> _inputs = [];
    private readonly List<(Value Value, ValueInfoProto Description)> _outputs = [];
    private readonly Dictionary<string, (Value Value, Initializer Initializer)> _initializers = [];
    private readonly Dictionary<string, Value> _values = []; // by the names that they have now
    private readonly HashSet<string> _taken = [];            // by values or nodes
    private readonly HashSet<string> _claimed = [];          // by inputs and outputs that were asked for
    private readonly Dictionary<string, int> _counts = [];   // how often a name was asked for
    private string _scope = "";

    /// <param name="operatorSet">The version of the standard operators.</param>
    public GraphBuilder(long operatorSet = 18)
        : this(new ModelProto
        {
            IrVersion = FormatVersion,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = operatorSet } },
        })
    {
    }

    /// <summary>Begins with a file, whose versions stay and whose nodes <see cref="Continue"/> adds.</summary>
    /// <param name="model">The file, which is taken over.</param>
    /// <param name="input">The name of the input that something else takes the place of.</param>
    public GraphBuilder(ModelProto model, string input)
        : this(model)
    {
        _base = new BaseGraph(model.Graph, input);
        foreach (var value in _base.Values)
            _values.Add(value.Name, value);
        _taken.UnionWith(_values.Keys);
        _taken.UnionWith(_base.NodeNames);
        _base.SeparateNodes(Unused);
        _inputs.AddRange(_base.OtherInputs);
    }

    private GraphBuilder(ModelProto model)
    {
        _model = model;
        _model.ProducerName = "MLTransfer";
        _model.ProducerVersion = typeof(GraphBuilder).Assembly.GetName().Version?.ToString(3) ?? "";
        OperatorSet = model.OpsetImport.First(import => import.Domain is "" or "ai.onnx").Version;
    }

    /// <summary>The version of the standard operators.</summary>
    public long OperatorSet { get; }

    /// <summary>
    /// Whether nodes and their values are called like the operator, such as <c>flatten</c>: names for people who take a value by its
    /// name. Otherwise they have the names that exporters give which trace modules.
    /// </summary>
    public bool HasPlainNames { get; init; }

    /// <summary>Constant tensors, in the order of their first use, without those of the file that was begun with.</summary>
    public IReadOnlyCollection<Initializer> Initializers =>
        [.. _initializers.Values.Select(entry => entry.Initializer with { Name = entry.Value.Name })];

    /// <summary>What follows is named <c>/part/...</c>, as exporters that trace modules name it.</summary>
    public void EnterScope(string scope) => _scope = scope;

    public Value Input(string name, DataType type, params ReadOnlySpan<Dimension> shape)
    {
        var value = new Value(name);
        Claim(name, value);
        _inputs.Add((value, Describe(type, shape)));
        return value;
    }

    /// <summary>Makes a value an output and gives it its name.</summary>
    public void Output(string name, Value value, DataType type, params ReadOnlySpan<Dimension> shape)
    {
        Claim(name, value);
        _outputs.Add((value, Describe(type, shape)));
    }

    /// <summary>Adds the nodes of the file that was begun with.</summary>
    /// <param name="input">What takes the place of its input.</param>
    /// <param name="output">The name of the value that is returned.</param>
    public Value Continue(Value input, string output)
    {
        _nodes.AddRange(_base!.Connect(input));
        return _base[output];
    }

    /// <summary>A constant tensor; one that is known by this name already is used again.</summary>
    public Value Add(string name, Func<Initializer> create)
    {
        if (_initializers.TryGetValue(name, out var entry))
            return entry.Value;
        entry = (NewValue(name), create());
        _initializers.Add(name, entry);
        if (_model.IrVersion < FormatWithoutWeightsAsInputs)
            _inputs.Add((entry.Value, Describe(entry.Initializer.Type, [.. entry.Initializer.Shape.Select(extent => (Dimension)extent)])));
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
    public Value Constant(byte value) =>
        Add($"uint8_{value}", () => new Initializer($"uint8_{value}", DataType.Uint8, [], stream => stream.WriteByte(value)));

    /// <summary>A scalar of a floating-point type.</summary>
    public Value Constant(double value, DataType type)
    {
        var bytes = type == DataType.Float16 ? BitConverter.GetBytes((Half)value) : BitConverter.GetBytes((float)value);
        var name = FormattableString.Invariant($"{type}_{value:R}").ToLowerInvariant();
        return Add(name, () => new Initializer(name, type, [], stream => stream.Write(bytes)));
    }

    /// <summary>A float32 tensor of a shape; the name tells its values.</summary>
    public Value Constant(string name, ReadOnlySpan<float> values, params long[] shape)
    {
        var bytes = MemoryMarshal.AsBytes(values).ToArray();
        return Add(name, () => new Initializer(name, DataType.Float, shape, stream => stream.Write(bytes)));
    }

    public Value Node(string operation, ReadOnlySpan<Value> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(operation, 1, inputs, "", attributes)[0];

    /// <summary>A node of ONNX Runtime's own operators.</summary>
    public Value[] RuntimeNode(
        string operation, int outputs, ReadOnlySpan<Value> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(operation, outputs, inputs, RuntimeDomain, attributes);

    public Value[] Nodes(
        string operation, int outputs, ReadOnlySpan<Value> inputs, string domain = "",
            params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var name = Unused(HasPlainNames ? operation.ToLowerInvariant() : $"{_scope}/{operation}");
        Value[] results = HasPlainNames && outputs == 1
            ? [Register(new Value(name))]
            : [.. Enumerable.Range(0, outputs).Select(i => NewValue($"{name}_output_{i}"))];
        _nodes.Add(GraphNode.Create(name, operation, domain, inputs, results, attributes));
        return results;
    }

    /// <summary>Values that are computed in one of two ways.</summary>
    /// <param name="condition">A bool of one element.</param>
    /// <param name="type">Of all values.</param>
    /// <param name="then">Adds nodes and gives their values where the condition holds; what it makes is known nowhere else.</param>
    /// <param name="otherwise">The same where it does not, with as many values.</param>
    public Value[] If(Value condition, DataType type, Func<IReadOnlyList<Value>> then, Func<IReadOnlyList<Value>> otherwise)
    {
        var (first, second) = (Body("then_branch", type, then), Body("else_branch", type, otherwise));
        return Nodes("If", first.Outputs.Count, [condition], attributes: [("then_branch", first), ("else_branch", second)]);
    }

    public Value Sum(Value a, Value b) => Node("Add", [a, b]);

    public Value Product(Value a, Value b) => Node("Mul", [a, b]);

    public Value MatrixProduct(Value a, Value b) => Node("MatMul", [a, b]);

    public Value Reshape(Value value, params ReadOnlySpan<long> shape) => Node("Reshape", [value, Constant(shape)]);

    public Value Transpose(Value value, params long[] permutation) => Node("Transpose", [value], ("perm", permutation));

    public Value Cast(Value value, DataType type) => Node("Cast", [value], ("to", (long)type));

    public Value Concatenate(int axis, params ReadOnlySpan<Value> values) => Node("Concat", values, ("axis", (long)axis));

    /// <summary>The mean over dimensions, whose extents become 1.</summary>
    public Value Mean(Value value, params long[] axes) => OperatorSet < 18
        ? Node("ReduceMean", [value], ("axes", axes), ("keepdims", 1L))
        : Node("ReduceMean", [value, Constant(axes)], ("keepdims", 1L));

    /// <summary>The extent of a dimension: a scalar int64.</summary>
    public Value Size(Value value, int dimension) =>
        Node("Gather", [Node("Shape", [value]), Constant([dimension], isScalar: true)], ("axis", 0L));

    /// <summary>The file without <see cref="Initializers"/>, which the writer adds.</summary>
    public ModelProto Build()
    {
        if (_nodes.Any(node => node.IsOf(RuntimeDomain)) && !_model.OpsetImport.Any(import => import.Domain == RuntimeDomain))
            _model.OpsetImport.Add(new OperatorSetIdProto { Domain = RuntimeDomain, Version = 1 });
        var graph = _base?.ToProto() ?? new GraphProto { Name = "main_graph" };
        graph.Input.AddRange(_inputs.Select(Named));
        graph.Output.AddRange(_outputs.Select(Named));
        graph.Node.AddRange(_nodes.Select(node => node.ToProto()));
        _model.Graph = graph;
        return _model;

        static ValueInfoProto Named((Value Value, ValueInfoProto Description) place)
        {
            place.Description.Name = place.Value.Name;
            return place.Description;
        }
    }

    private GraphBody Body(string name, DataType type, Func<IReadOnlyList<Value>> build)
    {
        var outer = _nodes;
        _nodes = [];
        try
        {
            var outputs = build();
            return new GraphBody(name, type, _nodes, outputs);
        }
        finally
        {
            _nodes = outer;
        }
    }

    /// <summary>Gives a value the name of an input or an output.</summary>
    /// <exception cref="ArgumentException">Another input or output has the name.</exception>
    private void Claim(string name, Value value)
    {
        if (!_claimed.Add(name))
        {
            throw new ArgumentException(
                $"The graph has an input or output '{name}' already: give the output column another name than the input column.");
        }

        if (_values.GetValueOrDefault(value.Name) == value)
            _values.Remove(value.Name);
        if (_values.Remove(name, out var holder))
        {
            holder.Name = Unused(name);
            _values.Add(holder.Name, holder);
        }

        _taken.Add(name);
        value.Name = name;
        _values[name] = value;
    }

    private Value NewValue(string name) => Register(new Value(Unused(name)));

    private Value Register(Value value)
    {
        _values.Add(value.Name, value);
        return value;
    }

    private string Unused(string name)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, name, out _);
        string unused;
        do
        {
            unused = count == 0 ? name : $"{name}_{count}";
            count++;
        }
        while (!_taken.Add(unused));
        return unused;
    }

    private static ValueInfoProto Describe(DataType type, ReadOnlySpan<Dimension> shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = new TensorShapeProto() };
        foreach (var dimension in shape)
        {
            tensor.Shape.Dim.Add(dimension.Name is null
                ? new TensorShapeProto.Types.Dimension { DimValue = dimension.Size }
                : new TensorShapeProto.Types.Dimension { DimParam = dimension.Name });
        }

        return new ValueInfoProto { Type = new TypeProto { TensorType = tensor } };
    }
}
