using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>The layers that all parts of a transformer are made of.</summary>
internal sealed class LayerNodes(GraphOptions options)
{
    public GraphBuilder Graph => options.Graph;

    /// <summary>Whether operators of ONNX Runtime alone are used.</summary>
    public bool Fused => options.FusedOperators;

    /// <summary>The type that is computed in.</summary>
    public DataType Type => options.Format.ComputeType;

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public Value Linear(Value x, Projection projection) =>
        projection.HasBias ? Graph.Sum(Product(x, projection), Bias(projection)) : Product(x, projection);

    /// <summary>A linear layer without its bias, with the adapter's update where there is one apart.</summary>
    public Value Product(Value x, Projection projection)
    {
        var weight = projection.Name + ".weight";
        return WithAdapter(options.Format.Multiply(x, options.Parameters.Matrix(weight, projection.Layout).ToInputByOutput()), x, weight);
    }

    public Value Bias(Projection projection) => Unquantized(projection.Name + ".bias");

    /// <summary>A parameter that no precision quantizes: a bias, a norm's weight, a table of positions.</summary>
    public Value Unquantized(string name) => options.Parameters.Unquantized(Graph, name, Type);

    /// <summary>Rows of a table of tokens: [batch, length] to [batch, length, width].</summary>
    public Value ReadRows(Value ids, string table) => options.Format.ReadRows(ids, Table(table));

    /// <summary>[..., width] times the rows of a table, or of a head of its own with its adapter: [..., rows].</summary>
    public Value MultiplyRows(Value x, string table) => WithAdapter(options.Format.Multiply(x, Table(table)), x, table);

    /// <summary>A scalar of the type that is computed in.</summary>
    public Value Number(double value) => Graph.Constant(value, Type);

    /// <summary>A normalization of the last dimension.</summary>
    /// <param name="x">[..., width].</param>
    /// <param name="norm">What it is.</param>
    /// <param name="width">The width.</param>
    public Value Normalize(Value x, Norm norm, int width) => norm.Kind switch
    {
        NormKind.Layer => Graph.Node("LayerNormalization", [x, .. Affine(norm, width)], ("axis", -1L), ("epsilon", (float)norm.Epsilon)),
        NormKind.RootMeanSquare or NormKind.RootMeanSquareOnePlus => RootMeanSquare(x, norm),
        _ => throw new NotSupportedException($"A normalization of kind {norm.Kind} cannot be exported to ONNX."),
    };

    /// <summary>The normalization of x + added, and x + added itself.</summary>
    public (Value Normalized, Value Sum) AddAndNormalize(Value x, Value? added, Norm norm, int width)
    {
        Value[] affine = norm.Kind == NormKind.Layer ? Affine(norm, width) : [];
        if (Fused && added is not null && norm.Kind == NormKind.Layer)
        {
            var outputs = Graph.RuntimeNode(
                "SkipLayerNormalization", 4, [x, added, .. affine], ("epsilon", (float)norm.Epsilon)); // the second and third stay unused
            return (outputs[0], outputs[3]);
        }

        var sum = added is null ? x : Graph.Sum(x, added);
        return (Normalize(sum, norm, width), sum);
    }

    /// <summary>cap tanh(x / cap), or x where there is no cap.</summary>
    public Value Cap(Value x, double? cap, DataType type) => cap is not { } limit ? x : Graph.Product(
        Graph.Node("Tanh", [Graph.Node("Div", [x, Graph.Constant(limit, type)])]), Graph.Constant(limit, type));

    public Value Cast(Value x, DataType from, DataType to) => from == to ? x : Graph.Cast(x, to);

    private Value WithAdapter(Value product, Value x, string weight) =>
        options.Parameters.AdapterUpdate(Graph, x, weight, Type) is { } update ? Graph.Sum(product, update) : product;

    private WeightMatrix Table(string name) => options.Parameters.Matrix(name, WeightLayout.OutputByInput);

    /// <summary>Weight, and bias where there is one.</summary>
    private Value[] Affine(Norm norm, int width)
    {
        var weight = norm.HasWeight
            ? Unquantized(norm.Name + ".weight")
            : Graph.Add($"ones_{width}", () => TensorContent.Initializer($"ones_{width}", Type, () => ones(width)));
        return norm.HasBias ? [weight, Unquantized(norm.Name + ".bias")] : [weight];
    }

    /// <summary>Computed in float32, and where 1 is added to the weight multiplied so too.</summary>
    private Value RootMeanSquare(Value x, Norm norm)
    {
        var wide = Cast(x, Type, DataType.Float);
        var energy = Graph.Mean(Graph.Node("Pow", [wide, Graph.Constant(2.0, DataType.Float)]), -1);
        var root = Graph.Node("Sqrt", [Graph.Sum(energy, Graph.Constant(norm.Epsilon, DataType.Float))]);
        var normalized = Graph.Node("Div", [wide, root]);
        var weight = norm.Name + ".weight";
        if (norm is { HasWeight: true, Kind: NormKind.RootMeanSquareOnePlus })
        {
            normalized = Graph.Product(
                normalized, options.Parameters.Unquantized(Graph, weight, DataType.Float, stored => stored + 1, ".plus_one"));
            normalized = Cast(normalized, DataType.Float, Type);
        }
        else
        {
            normalized = Cast(normalized, DataType.Float, Type);
            if (norm.HasWeight)
                normalized = Graph.Product(normalized, Unquantized(weight));
        }

        return norm.HasBias ? Graph.Sum(normalized, Unquantized(norm.Name + ".bias")) : normalized;
    }
}
