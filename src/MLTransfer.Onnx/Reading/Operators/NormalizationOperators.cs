using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Normalizations and softmax.</summary>
internal static class NormalizationOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["BatchNormalization"] = BatchNormalization,
        ["InstanceNormalization"] = (node, inputs) =>
        [
            F.instance_norm(
                inputs.Required(node, 0), weight: inputs.Required(node, 1), bias: inputs.Required(node, 2),
                eps: node.Number("epsilon", 1e-5)),
        ],
        ["LayerNormalization"] = LayerNormalization,
        ["Softmax"] = (node, inputs) => [Softmax(node, inputs.Required(node, 0), (x, axis) => softmax(x, axis))],
        ["LogSoftmax"] = (node, inputs) => [Softmax(node, inputs.Required(node, 0), (x, axis) => F.log_softmax(x, axis))],
    };

    private static Tensor[] BatchNormalization(OnnxNode node, Tensor?[] inputs)
    {
        if (node.Integer("training_mode", 0) != 0)
            throw node.Unsupported("a batch normalization in training mode");
        return
        [
            F.batch_norm(
                inputs.Required(node, 0), inputs.Required(node, 3), inputs.Required(node, 4), inputs.Required(node, 1),
                inputs.Required(node, 2), training: false, eps: node.Number("epsilon", 1e-5)),
        ];
    }

    private static Tensor[] LayerNormalization(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        var axis = (int)node.Integer("axis", -1);
        var shape = x.shape[(axis < 0 ? axis + x.shape.Length : axis)..];
        var (weight, bias) = (inputs.Required(node, 1).reshape(shape), inputs.ElementAtOrDefault(2)?.reshape(shape));
        return [F.layer_norm(x, shape, weight, bias, node.Number("epsilon", 1e-5))];
    }

    private static Tensor Softmax(OnnxNode node, Tensor x, Func<Tensor, int, Tensor> compute)
    {
        if (node.Opset >= 13)
            return compute(x, (int)node.Integer("axis", -1));
        // Earlier versions take all dimensions from the axis on as one.
        var axis = node.Integer("axis", 1);
        return compute(x.flatten(axis < 0 ? axis + x.dim() : axis), -1).reshape(x.shape);
    }
}
