namespace MLTransfer.Onnx.Graphs;

/// <summary>A tensor of a graph: an input, an initializer or what a node gives.</summary>
internal sealed class Value(string name)
{
    /// <summary>An optional input that a node does without.</summary>
    public static Value None { get; } = new("");

    /// <summary>The name in the file; a graph's outputs get theirs last.</summary>
    public string Name { get; set; } = name;
}
