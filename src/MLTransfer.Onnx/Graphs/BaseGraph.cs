using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Graphs;

/// <summary>The graph of a file that another one is built around: its nodes and weights stay, its values may get other names.</summary>
/// <remarks>
/// A name means one value in the whole file, bodies of conditionals and loops included: what is renamed is so everywhere.
/// </remarks>
internal sealed class BaseGraph
{
    private readonly GraphProto _graph;
    private readonly string _input;
    private readonly Dictionary<string, Value> _values; // by the names in the file
    private readonly NodeProto[] _nodes;

    /// <param name="graph">The graph, which is taken over.</param>
    /// <param name="input">The name of the input that something else takes the place of.</param>
    public BaseGraph(GraphProto graph, string input)
    {
        (_graph, _input, _nodes) = (graph, input, [.. graph.Node]);
        _values = ValueNames(graph).Where(name => name.Length > 0 && name != input).Distinct()
            .ToDictionary(name => name, name => new Value(name));
        OtherInputs = [.. graph.Input.Where(other => other.Name != input).Select(other => (_values[other.Name], other))];
    }

    /// <summary>All values but the input, those inside of bodies included.</summary>
    public IEnumerable<Value> Values => _values.Values;

    public IEnumerable<string> NodeNames => _nodes.Select(node => node.Name);

    /// <summary>Gives a node another name where one before it has the same: readers that train a file take it so, ONNX Runtime does
    /// not.</summary>
    /// <param name="unused">Makes a name that nothing has out of one that is taken.</param>
    public void SeparateNodes(Func<string, string> unused)
    {
        var names = new HashSet<string>();
        foreach (var node in _nodes.Where(node => node.Name.Length > 0 && !names.Add(node.Name)))
            node.Name = unused(node.Name);
    }

    /// <summary>Weights that old files list as inputs too.</summary>
    public IReadOnlyList<(Value Value, ValueInfoProto Description)> OtherInputs { get; }

    /// <summary>A value by its name in the file.</summary>
    public Value this[string name] => name.Length == 0 ? Value.None : _values[name];

    /// <summary>The nodes, with a value in the place of the input.</summary>
    public IEnumerable<GraphNode> Connect(Value input)
    {
        _values[_input] = input;
        return _nodes.Select(node => new GraphNode(
            node, [.. node.Input.Select(name => this[name])], [.. node.Output.Select(name => this[name])]));
    }

    /// <summary>The graph's weights and bodies with the names that values have now, without nodes, inputs and outputs.</summary>
    public GraphProto ToProto()
    {
        _graph.Node.Clear();
        _graph.Input.Clear();
        _graph.Output.Clear();
        _graph.ValueInfo.Clear(); // shapes of values between, which readers find out themselves
        foreach (var weight in _graph.Initializer)
            weight.Name = Renamed(weight.Name);
        foreach (var body in Bodies(_nodes))
            Rename(body);
        return _graph;
    }

    private string Renamed(string name) => _values.TryGetValue(name, out var value) ? value.Name : name;

    private void Rename(GraphProto body)
    {
        foreach (var value in body.Input.Concat(body.Output).Concat(body.ValueInfo))
            value.Name = Renamed(value.Name);
        foreach (var weight in body.Initializer)
            weight.Name = Renamed(weight.Name);
        foreach (var node in body.Node)
        {
            foreach (var names in (Google.Protobuf.Collections.RepeatedField<string>[])[node.Input, node.Output])
            {
                for (var i = 0; i < names.Count; i++)
                    names[i] = Renamed(names[i]);
            }
        }

        foreach (var inner in Bodies(body.Node))
            Rename(inner);
    }

    private static IEnumerable<GraphProto> Bodies(IEnumerable<NodeProto> nodes) => nodes.SelectMany(node => node.Attribute)
        .SelectMany(attribute => attribute.G is { } body ? [body, .. attribute.Graphs] : attribute.Graphs);

    private static IEnumerable<string> ValueNames(GraphProto graph) => graph.Input.Select(input => input.Name)
        .Concat(graph.Initializer.Select(weight => weight.Name))
        .Concat(graph.Node.SelectMany(node => node.Output))
        .Concat(Bodies(graph.Node).SelectMany(ValueNames));
}
