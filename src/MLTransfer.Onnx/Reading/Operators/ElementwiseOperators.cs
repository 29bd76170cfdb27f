using MLTransfer.Onnx.Schema;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Operators on single elements.</summary>
internal static class ElementwiseOperators
{
    public static IReadOnlyDictionary<string, Operator> All { get; } = new Dictionary<string, Operator>
    {
        ["Add"] = Binary((a, b) => a + b),
        ["Sub"] = Binary((a, b) => a - b),
        ["Mul"] = Binary((a, b) => a * b),
        ["Div"] = Binary((a, b) => a.is_integral() ? a.div(b, RoundingMode.trunc) : a / b),
        ["Pow"] = Binary((a, b) => a.pow(b.to(a.dtype))),
        ["Relu"] = Unary(x => F.relu(x)),
        ["Sigmoid"] = Unary(sigmoid),
        ["Tanh"] = Unary(tanh),
        ["Erf"] = Unary(erf),
        ["Exp"] = Unary(exp),
        ["Log"] = Unary(log),
        ["Sqrt"] = Unary(sqrt),
        ["Neg"] = Unary(neg),
        ["Abs"] = Unary(abs),
        ["Reciprocal"] = Unary(reciprocal),
        ["Softplus"] = Unary(x => F.softplus(x)),
        ["HardSwish"] = Unary(x => F.hardswish(x)),
        ["Identity"] = Unary(x => x.alias()),
        ["Dropout"] = Dropout,
        ["LeakyRelu"] = (node, inputs) => [F.leaky_relu(inputs.Required(node, 0), node.Number("alpha", 0.01))],
        ["Elu"] = (node, inputs) => [F.elu(inputs.Required(node, 0), node.Number("alpha", 1))],
        ["HardSigmoid"] = (node, inputs) =>
            [(inputs.Required(node, 0) * node.Number("alpha", 0.2) + node.Number("beta", 0.5)).clamp(0, 1)],
        ["PRelu"] = (node, inputs) =>
        {
            var x = inputs.Required(node, 0);
            return [F.relu(x) - inputs.Required(node, 1) * F.relu(-x)];
        },
        ["Gelu"] = (node, inputs) =>
        [
            F.gelu(inputs.Required(node, 0), node.Text("approximate", "none") == "tanh"
                ? TorchSharp.Modules.GELU.Approximate.tanh
                : TorchSharp.Modules.GELU.Approximate.none),
        ],
        ["Clip"] = Clip,
        ["Cast"] = Cast,
    };

    private static Operator Unary(Func<Tensor, Tensor> compute) => (node, inputs) => [compute(inputs.Required(node, 0))];

    private static Operator Binary(Func<Tensor, Tensor, Tensor> compute) =>
        (node, inputs) => [compute(inputs.Required(node, 0), inputs.Required(node, 1))];

    // The mode of an exported network is inference; a third input that is true would say otherwise.
    private static Tensor[] Dropout(OnnxNode node, Tensor?[] inputs)
    {
        if (inputs.ElementAtOrDefault(2) is { } training && training.item<bool>())
            throw node.Unsupported("a dropout in training mode");
        return [inputs.Required(node, 0).alias()];
    }

    private static Tensor[] Clip(OnnxNode node, Tensor?[] inputs)
    {
        var x = inputs.Required(node, 0);
        if (node.Opset < 11)
        {
            return [x.clamp(node.Number("min", float.MinValue), node.Number("max", float.MaxValue))];
        }

        var (minimum, maximum) = (inputs.ElementAtOrDefault(1), inputs.ElementAtOrDefault(2));
        return (minimum, maximum) is (null, null) ? [x.alias()] : [x.clamp(minimum?.item<float>(), maximum?.item<float>())];
    }

    private static Tensor[] Cast(OnnxNode node, Tensor?[] inputs) =>
    [
        inputs.Required(node, 0).to((TensorProto.Types.DataType)node.Integer("to", 0) switch
        {
            TensorProto.Types.DataType.Float => ScalarType.Float32,
            TensorProto.Types.DataType.Double => ScalarType.Float64,
            TensorProto.Types.DataType.Int32 => ScalarType.Int32,
            TensorProto.Types.DataType.Int64 => ScalarType.Int64,
            TensorProto.Types.DataType.Bool => ScalarType.Bool,
            var other => throw node.Unsupported($"a cast to {other}"),
        }).alias(),
    ];
}
