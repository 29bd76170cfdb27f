using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>The operators (https://onnx.ai/onnx/operators/) that can be imported.</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<string, Operator> s_operators = Merge(
        ElementwiseOperators.All, LinearOperators.All, NormalizationOperators.All, PoolingOperators.All, ReductionOperators.All,
        ShapeOperators.All,
        ResizingOperators.All);

    /// <exception cref="NotSupportedException">The operator cannot be imported.</exception>
    public static Operator Find(OnnxNode node)
    {
        if (node.Domain is "" or "ai.onnx" && s_operators.TryGetValue(node.Operator, out var found))
            return found;
        var domain = node.Domain is "" or "ai.onnx" ? "" : $" of '{node.Domain}'";
        throw node.Unsupported($"the operator '{node.Operator}'{domain}");
    }

    /// <summary>Outputs that the import makes: optional ones, such as the mask of a dropout, are not made.</summary>
    public static IEnumerable<string> ComputedOutputs(OnnxNode node) => node.Operator == "Split" ? node.Outputs : node.Outputs.Take(1);

    /// <summary>The inputs that are weights where they are constant, each with the layer that it belongs to: the name of a value.</summary>
    public static IEnumerable<(string Name, string Layer)> WeightInputs(OnnxNode node, IReadOnlyDictionary<string, OnnxNode> makers) =>
        node.Operator switch
        {
            "Conv" or "ConvTranspose" or "Gemm" or "BatchNormalization" or "LayerNormalization" or "InstanceNormalization" or "PRelu" =>
                node.Inputs.Skip(1).Take(2).Select(name => (name, node.Outputs[0])),
            "MatMul" => node.Inputs.Select(name => (name, node.Outputs[0])),
            // A bias that is added to a product or a convolution.
            "Add" when node.Inputs.FirstOrDefault(name => makers.TryGetValue(name, out var maker)
                && maker.Operator is "MatMul" or "Gemm" or "Conv" or "ConvTranspose") is { } product =>
                node.Inputs.Where(name => name != product).Select(name => (name, product)),
            _ => [],
        };

    /// <summary>An input that must be there.</summary>
    public static Tensor Required(this Tensor?[] inputs, OnnxNode node, int index) =>
        inputs.ElementAtOrDefault(index) ?? throw node.Invalid($"it has no input {index}");

    private static Dictionary<string, Operator> Merge(params IEnumerable<IReadOnlyDictionary<string, Operator>> tables) =>
        tables.SelectMany(table => table).ToDictionary();
}
