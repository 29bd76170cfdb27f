using Google.Protobuf;
using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Graphs;

/// <summary>A node between values that get their names last.</summary>
/// <param name="node">The node, whose inputs and outputs are written when it is asked for.</param>
/// <param name="inputs">What it takes.</param>
/// <param name="outputs">What it gives.</param>
/// <param name="bodies">Attributes that are graphs, which are written likewise; null for none.</param>
internal sealed class GraphNode(
    NodeProto node, IReadOnlyList<Value> inputs, IReadOnlyList<Value> outputs,
    IReadOnlyList<(AttributeProto Attribute, GraphBody Body)>? bodies = null)
{
    /// <summary>Whether the node, or one in its bodies, is of a set of operators.</summary>
    public bool IsOf(string domain) =>
        node.Domain == domain || bodies?.Any(body => body.Body.Nodes.Any(inner => inner.IsOf(domain))) == true;

    public static GraphNode Create(
        string name, string operation, string domain, ReadOnlySpan<Value> inputs, IReadOnlyList<Value> outputs,
        ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new NodeProto { Name = name, OpType = operation };
        if (domain.Length > 0)
            node.Domain = domain;
        var bodies = new List<(AttributeProto, GraphBody)>();
        foreach (var (key, value) in attributes)
        {
            var attribute = Attribute(key, value);
            node.Attribute.Add(attribute);
            if (value is GraphBody body)
                bodies.Add((attribute, body));
        }

        return new GraphNode(node, inputs.ToArray(), outputs, bodies);
    }

    public NodeProto ToProto()
    {
        node.Input.Clear();
        node.Input.AddRange(inputs.Select(input => input.Name));
        node.Output.Clear();
        node.Output.AddRange(outputs.Select(output => output.Name));
        foreach (var (attribute, body) in bodies ?? [])
            attribute.G = body.ToProto();
        return node;
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
            case GraphBody:
                attribute.Type = AttributeProto.Types.AttributeType.Graph;
                break;
            case string text:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeProto.Types.AttributeType.String);
                break;
            default:
                throw new NotSupportedException($"Attributes of type {value.GetType()} are not written.");
        }

        return attribute;
    }
}
