using MLTransfer.Onnx.Graphs;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>Activation functions by the names that <c>config.json</c> uses, in operators of opset 18.</summary>
internal static class Activations
{
    /// <summary>Whether the function is the tanh form of GELU, which ONNX Runtime has as one operator.</summary>
    public static bool IsTanhGelu(string name) => name is "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_accurate";

    public static Value Apply(GraphBuilder graph, string name, Value x, DataType type)
    {
        switch (name)
        {
            case "gelu" or "gelu_python": // x / 2 * (1 + erf(x / sqrt 2))
                var error = graph.Node("Erf", [graph.Node("Div", [x, Number(Math.Sqrt(2))])]);
                return graph.Product(graph.Product(x, graph.Sum(error, Number(1))), Number(0.5));
            case "quick_gelu":
                return graph.Product(x, graph.Node("Sigmoid", [graph.Product(x, Number(1.702))]));
            case "relu":
                return graph.Node("Relu", [x]);
            case "silu" or "swish":
                return graph.Product(x, graph.Node("Sigmoid", [x]));
            case "tanh":
                return graph.Node("Tanh", [x]);
            default:
                if (!IsTanhGelu(name))
                    throw new NotSupportedException($"config.json: activation function '{name}' cannot be exported to ONNX.");
                // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), in the order that ONNX Runtime fuses.
                var cubic = graph.Sum(x, graph.Product(graph.Node("Pow", [x, Number(3)]), Number(0.044715)));
                var tanh = graph.Node("Tanh", [graph.Product(cubic, Number(Math.Sqrt(2 / Math.PI)))]);
                return graph.Product(graph.Product(x, Number(0.5)), graph.Sum(tanh, Number(1)));
        }

        Value Number(double value) => graph.Constant(value, type);
    }
}
