using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Graphs;

/// <summary>A branch of a conditional: nodes that know all values of the graph around them.</summary>
/// <param name="Name">The branch's.</param>
/// <param name="Type">The type of what it gives.</param>
/// <param name="Nodes">In the order of computation.</param>
/// <param name="Outputs">What it gives, all of its own nodes.</param>
internal sealed record GraphBody(
    string Name, TensorProto.Types.DataType Type, IReadOnlyList<GraphNode> Nodes, IReadOnlyList<Value> Outputs)
{
    public GraphProto ToProto()
    {
        var graph = new GraphProto { Name = Name };
        graph.Node.AddRange(Nodes.Select(node => node.ToProto()));
        graph.Output.AddRange(Outputs.Select(output => new ValueInfoProto
        {
            Name = output.Name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)Type } },
        }));
        return graph;
    }
}
