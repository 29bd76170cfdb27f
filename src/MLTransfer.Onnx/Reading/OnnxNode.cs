using MLTransfer.Onnx.Schema;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>A node of an imported graph: its attributes, and its place for error messages.</summary>
internal sealed class OnnxNode
{
    private readonly NodeProto _proto;

    public OnnxNode(NodeProto proto, int index, OnnxGraph graph)
    {
        (_proto, Opset) = (proto, graph.Opset);
        Place = $"'{graph.Location}', node {index}{(proto.Name.Length > 0 ? $" '{proto.Name}'" : "")} ({proto.OpType})";
    }

    public string Operator => _proto.OpType;

    public string Domain => _proto.Domain;

    /// <summary>The version of the operator set.</summary>
    public int Opset { get; }

    /// <summary>File, number, name and operator.</summary>
    public string Place { get; }

    public IReadOnlyList<string> Inputs => _proto.Input;

    public IReadOnlyList<string> Outputs => _proto.Output;

    public bool Has(string name) => Find(name) is not null;

    public long Integer(string name, long otherwise) => Find(name)?.I ?? otherwise;

    public double Number(string name, double otherwise) => Find(name) is { } attribute ? attribute.F : otherwise;

    public string Text(string name, string otherwise) => Find(name)?.S.ToStringUtf8() ?? otherwise;

    /// <summary>A list of whole numbers, or null where the node has none.</summary>
    public long[]? Integers(string name) => Find(name) is { } attribute ? [.. attribute.Ints] : null;

    public TensorProto? Tensor(string name) => Find(name)?.T;

    /// <summary>What a tensor of whole numbers holds.</summary>
    public long[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.dtype is ScalarType.Int64 or ScalarType.Int32
            ? tensor.to(ScalarType.Int64).flatten().data<long>().ToArray()
            : throw Invalid($"expected whole numbers, got {tensor.dtype}");
    }

    /// <summary>What the file asks for cannot be imported.</summary>
    public NotSupportedException Unsupported(string what) =>
        new($"{Place}: {what} cannot be imported as layers to train. Use the file as frozen features, or export the network differently.");

    /// <summary>The file is not a valid graph.</summary>
    public InvalidDataException Invalid(string what) => new($"{Place}: {what}.");

    private AttributeProto? Find(string name) => _proto.Attribute.FirstOrDefault(attribute => attribute.Name == name);
}
