namespace MLTransfer.Onnx.Graphs;

/// <summary>A dimension of a graph's input or output: a number, or the name of one that differs from run to run.</summary>
internal readonly record struct Dimension(long Size, string? Name)
{
    public static implicit operator Dimension(long size) => new(size, null);

    public static implicit operator Dimension(string name) => new(0, name);
}
