using System.Runtime.InteropServices;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>
/// Matrices in int8, symmetric, with a scale for each output; activations are quantized at each product to 16 bits, in two halves of uint8,
/// with a scale for each row.
/// </summary>
/// <remarks>
/// What a token gives depends neither on the tokens beside it nor on the texts of a batch. One half alone would turn the last bit by which
/// padding changes a sum into a step of 1/127 now and then, which is enough to end a near tie otherwise. The halves lie beside each other
/// as rows, so that a weight is read once.
/// </remarks>
internal sealed class Int8Format(GraphBuilder graph) : WeightFormat(graph, DataType.Float)
{
    /// <summary>
    /// The largest magnitude. Processors without VNNI add two products uint8 * int8 in 16 bits, which overflow beyond 64
    /// (ONNX Runtime's <c>reduce_range</c>).
    /// </summary>
    internal const int Limit = 64;

    /// <summary>The magnitude of a row's largest element in the first half, which lies so far from <see cref="ZeroPoint"/>.</summary>
    private const int Levels = 127;

    /// <summary>The levels of the second half between two of the first.</summary>
    private const int FineLevels = 254;

    private const byte ZeroPoint = 128;

    /// <summary>Keeps a row of zeros from being divided by zero.</summary>
    private const double SmallestMagnitude = 1e-30;

    private readonly Dictionary<Value, (Value Halves, Value Scales)> _quantized = []; // projections beside each other take the same input

    public override Value Multiply(Value input, WeightMatrix matrix)
    {
        var (weight, scale) = Store(matrix);
        if (matrix.Layout == WeightLayout.OutputByInput)
            weight = Graph.Transpose(weight, 1, 0); // [inputs, outputs]
        var (halves, scales) = Quantize(input);
        var product = Graph.Cast(Graph.Node("MatMulInteger", [halves, weight, Graph.Constant(ZeroPoint)]), DataType.Float);
        var parts = Graph.Nodes("Split", 2, [product], attributes: [("axis", 0L), ("num_outputs", 2L)]); // [..., outputs] each
        var sum = Graph.Sum(parts[0], Graph.Product(parts[1], Number(1.0 / FineLevels)));
        return Graph.Product(Graph.Product(sum, scale), scales);
    }

    /// <summary>[batch, ..., inputs] to halves [2 batch, ..., inputs] uint8 and scales [batch, ..., 1].</summary>
    private (Value Halves, Value Scales) Quantize(Value input)
    {
        if (_quantized.TryGetValue(input, out var quantized))
            return quantized;
        var largest = Graph.Node("ReduceMax", [Graph.Node("Abs", [input]), Graph.Constant([-1])], ("keepdims", 1L));
        largest = Graph.Node("Max", [largest, Number(SmallestMagnitude)]);
        // From 1.5 to 255.5: the whole part is the nearest level, what is behind it tells how far above or below the element lies.
        var shifted = Graph.Sum(Graph.Product(input, Graph.Node("Div", [Number(Levels), largest])), Number(ZeroPoint + 0.5));
        var whole = Graph.Node("Floor", [shifted]);
        var fine = Graph.Sum(Graph.Product(Graph.Node("Sub", [shifted, whole]), Number(FineLevels)), Number(1.5)); // from 1.5 to 255.5
        quantized = (
            Graph.Cast(Graph.Concatenate(0, whole, fine), DataType.Uint8), Graph.Product(largest, Number(1.0 / Levels)));
        _quantized.Add(input, quantized);
        return quantized;
    }

    public override Value ReadRows(Value ids, WeightMatrix table)
    {
        var (weight, scale) = Store(table);
        var rows = Graph.Cast(Graph.Node("Gather", [weight, ids], ("axis", 0L)), DataType.Float);       // [batch, length, width]
        var scales = Graph.Node("Gather", [scale, ids], ("axis", 0L));                                  // [batch, length]
        return Graph.Product(rows, Graph.Node("Unsqueeze", [scales, Graph.Constant([-1])]));
    }

    private (Value Weight, Value Scale) Store(WeightMatrix matrix)
    {
        var (weightName, scaleName) = (matrix.Name + "_quantized", matrix.Name + "_scale");
        return (
            Graph.Add(weightName, () => new Initializer(weightName, DataType.Int8, matrix.Shape, stream =>
            {
                using var scope = NewDisposeScope();
                var weight = matrix.ReadFloats();
                var quantized = (weight / Scales(weight, matrix)).round().clamp(-Limit, Limit).to(ScalarType.Int8).contiguous();
                stream.Write(MemoryMarshal.AsBytes(NativeTensor.AsSpan<sbyte>(quantized)));
            })),
            Graph.Add(scaleName, () => new Initializer(scaleName, DataType.Float, [matrix.Outputs], stream =>
            {
                using var scope = NewDisposeScope();
                TensorContent.Write(stream, Scales(matrix.ReadFloats(), matrix), DataType.Float);
            })));
    }

    /// <summary>[1, outputs] or [outputs, 1]; a row of zeros gets 1.</summary>
    private static Tensor Scales(Tensor weight, WeightMatrix matrix)
    {
        var largest = weight.abs().amax([matrix.Layout == WeightLayout.InputByOutput ? 0 : 1], keepdim: true);
        return where(largest > 0, largest / Limit, ones_like(largest));
    }

    private Value Number(double value) => Graph.Constant(value, DataType.Float);
}
