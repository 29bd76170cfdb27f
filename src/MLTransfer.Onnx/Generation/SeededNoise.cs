using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Onnx.Generation;

/// <summary>
/// Gives a graph that draws noise, <c>RandomNormalLike</c>, an input for it instead: ONNX Runtime's own draws depend on what was computed
/// before, those of a seed do not.
/// </summary>
internal static class SeededNoise
{
    /// <summary>The input, [<see cref="Length"/>].</summary>
    public const string Input = "seeded_noise";

    /// <summary>Draws that are given; a longer noise goes through them again.</summary>
    public const int Length = 1 << 19;

    private const string Operator = "RandomNormalLike";

    /// <summary>Rewrites a graph.</summary>
    /// <returns>Whether it draws noise.</returns>
    public static bool Replace(GraphProto graph)
    {
        var drawing = graph.Node.Where(node => node.OpType == Operator).ToList();
        if (drawing.Count == 0)
            return false;
        graph.Input.Add(new ValueInfoProto { Name = Input, Type = VectorType() });
        Scalar($"{Input}.first", 0);
        Scalar($"{Input}.step", 1);
        Scalar($"{Input}.length", Length);
        foreach (var (index, node) in drawing.Index())
        {
            // An element's place, and for each noise another start.
            var (name, place) = ($"{Input}.{index}", graph.Node.IndexOf(node));
            Scalar($"{name}.start", index * (long)(Length / 2 + 1));
            graph.Node.RemoveAt(place);
            NodeProto[] nodes =
            [
                Node("Shape", [node.Input[0]], $"{name}.shape"),
                Node("Size", [node.Input[0]], $"{name}.size"),
                Node("Range", [$"{Input}.first", $"{name}.size", $"{Input}.step"], $"{name}.range"),
                Node("Add", [$"{name}.range", $"{name}.start"], $"{name}.moved"),
                Node("Mod", [$"{name}.moved", $"{Input}.length"], $"{name}.index"),
                Node("Gather", [Input, $"{name}.index"], $"{name}.flat"),
                Node("Reshape", [$"{name}.flat", $"{name}.shape"], node.Output[0]),
            ];
            foreach (var added in nodes.Reverse())
                graph.Node.Insert(place, added);
        }

        return true;

        void Scalar(string name, long value)
        {
            var constant = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Int64 };
            constant.Int64Data.Add(value);
            graph.Initializer.Add(constant);
        }

        static NodeProto Node(string type, string[] inputs, string output)
        {
            var made = new NodeProto { OpType = type, Name = output };
            made.Input.AddRange(inputs);
            made.Output.Add(output);
            return made;
        }
    }

    /// <summary>The input's values.</summary>
    public static float[] Draw(long seed)
    {
        var random = new SplitMix64((ulong)seed);
        var values = new float[Length];
        for (var i = 0; i < Length; i++)
            values[i] = (float)random.NextNormal();
        return values;
    }

    private static TypeProto VectorType()
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = Length });
        return new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape },
        };
    }
}
