using Google.Protobuf;
using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Reading;

/// <summary>An ONNX file with one input and one output, checked so far as that no other file is read because of it.</summary>
internal sealed class OnnxGraph
{
    private const int MinimumOpset = 9;
    private const int MaximumOpset = 24;

    private OnnxGraph(ModelProto model, string location, int opset, ValueInfoProto input, string output)
    {
        (Model, Location, Opset, Input, Output) = (model, location, opset, input.Name, output);
        var dimensions = input.Type?.TensorType?.Shape?.Dim.Select(d => d.HasDimValue ? Math.Max(0, d.DimValue) : 0).ToArray();
        InputDimensions = dimensions;
        BatchSize = dimensions is [> 0 and var batch, ..] ? batch : null;
        InputShape = dimensions is { Length: > 1 } && dimensions[1..].All(extent => extent > 0) ? dimensions[1..] : null;
    }

    public ModelProto Model { get; }

    /// <summary>What error messages call the file.</summary>
    public string Location { get; }

    /// <summary>The version of the operators.</summary>
    public int Opset { get; }

    public string Input { get; }

    public string Output { get; }

    /// <summary>The number of rows where the file fixes it.</summary>
    public long? BatchSize { get; }

    /// <summary>
    /// The shape of an input with the batch, 0 for each extent that the file leaves open; null where it does not even tell their number.
    /// </summary>
    public IReadOnlyList<long>? InputDimensions { get; }

    /// <summary>The shape of an input without the batch where the file fixes it.</summary>
    public IReadOnlyList<long>? InputShape { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="content">The file's bytes.</param>
    /// <param name="location">What error messages call the file.</param>
    /// <param name="outputName">Any value of the graph that shall be the output; null for the graph's only output.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">The file is of a kind that is not read.</exception>
    /// <exception cref="ArgumentException">There is no value of the wanted name.</exception>
    public static OnnxGraph Read(ReadOnlyMemory<byte> content, string location, string? outputName)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(content.Span);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"'{location}' is not a valid ONNX file: {exception.Message}", exception);
        }

        if (model.Graph is not { Node.Count: > 0 } graph)
            throw new InvalidDataException($"'{location}' is not a valid ONNX file: it has no graph.");
        var opset = model.OpsetImport.FirstOrDefault(import => import.Domain is "" or "ai.onnx")?.Version ?? 0;
        if (opset is < MinimumOpset or > MaximumOpset)
            throw new NotSupportedException(
                $"'{location}' has operators of version {opset}; versions {MinimumOpset} to {MaximumOpset} are read.");
        RefuseOtherData(model, location);

        var weights = graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        var inputs = graph.Input.Where(input => !weights.Contains(input.Name)).ToList();
        if (inputs is not [var input] || input.Type?.TensorType?.ElemType != (int)TensorProto.Types.DataType.Float)
        {
            throw new NotSupportedException(
                $"'{location}' has the inputs {Names(inputs.Select(i => i.Name))}; a network with one float input is expected.");
        }

        return new OnnxGraph(model, location, (int)opset, input, Cut(graph, location, outputName));
    }

    /// <summary>Makes a value of the graph its only output and drops the nodes and weights that it does not need.</summary>
    private static string Cut(GraphProto graph, string location, string? outputName)
    {
        if (outputName is null)
        {
            if (graph.Output.Count != 1)
            {
                throw new ArgumentException(
                    $"'{location}' has the outputs {Names(graph.Output.Select(o => o.Name))}; name the one to take.",
                    nameof(outputName));
            }

            outputName = graph.Output[0].Name;
        }
        else if (!graph.Node.Any(node => node.Output.Contains(outputName)))
        {
            throw new ArgumentException(
                $"'{location}' has no value '{outputName}'. The last ones are {Names(graph.Node.TakeLast(8).SelectMany(n => n.Output))}.",
                nameof(outputName));
        }

        var needed = new HashSet<string> { outputName };
        var nodes = new List<NodeProto>();
        foreach (var node in graph.Node.Reverse().Where(node => node.Output.Any(needed.Contains)))
        {
            nodes.Add(node);
            needed.UnionWith(node.Input);
            needed.UnionWith(OuterValues(node));
        }

        nodes.Reverse();
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        Keep(graph.Initializer, tensor => needed.Contains(tensor.Name));
        Keep(graph.ValueInfo, value => needed.Contains(value.Name));
        if (graph.Output is not [{ Name: var name }] || name != outputName)
        {
            graph.Output.Clear();
            graph.Output.Add(new ValueInfoProto
            {
                Name = outputName,
                Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float } },
            });
        }

        return outputName;

        static void Keep<T>(Google.Protobuf.Collections.RepeatedField<T> field, Func<T, bool> predicate)
        {
            var kept = field.Where(predicate).ToList();
            field.Clear();
            field.AddRange(kept);
        }
    }

    /// <summary>Names that the bodies of a conditional or a loop may take from the graph around them.</summary>
    private static IEnumerable<string> OuterValues(NodeProto node) => node.Attribute
        .SelectMany(attribute => attribute.G is { } body ? [body, .. attribute.Graphs] : attribute.Graphs)
        .SelectMany(body => body.Node.SelectMany(inner => inner.Input.Concat(OuterValues(inner)))
        .Concat(body.Output.Select(output => output.Name)));

    /// <summary>A file that names another one for its data could make the process read anything.</summary>
    private static void RefuseOtherData(ModelProto model, string location)
    {
        Check(model.Graph);
        foreach (var node in model.Functions.SelectMany(function => function.Node))
            CheckNode(node);

        void Check(GraphProto graph)
        {
            foreach (var tensor in graph.Initializer)
                CheckTensor(tensor);
            if (graph.SparseInitializer.Count > 0)
                throw new NotSupportedException($"'{location}' has sparse weights, which are not read.");
            foreach (var node in graph.Node)
                CheckNode(node);
        }

        void CheckNode(NodeProto node)
        {
            foreach (var attribute in node.Attribute)
            {
                foreach (var tensor in attribute.T is { } single ? [single, .. attribute.Tensors] : attribute.Tensors)
                    CheckTensor(tensor);
                foreach (var graph in attribute.G is { } body ? [body, .. attribute.Graphs] : attribute.Graphs)
                    Check(graph);
            }
        }

        void CheckTensor(TensorProto tensor)
        {
            if (tensor.DataLocation == TensorProto.Types.DataLocation.External || tensor.ExternalData.Count > 0)
            {
                throw new NotSupportedException(
                    $"'{location}' keeps the data of '{tensor.Name}' in another file. Save the network as one file (onnx.save_model "
                        + "without "
                    + "external data).");
            }
        }
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}
