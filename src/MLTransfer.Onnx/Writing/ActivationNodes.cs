using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>Activation functions in operators that every opset has.</summary>
internal static class ActivationNodes
{
    /// <summary>The activation of a value of any shape.</summary>
    /// <param name="graph">Takes the nodes.</param>
    /// <param name="activation">Which one.</param>
    /// <param name="x">The value.</param>
    /// <param name="type">Its type.</param>
    /// <param name="negativeSlope">What a leaky rectifier multiplies negative values with.</param>
    public static Value Apply(
        GraphBuilder graph, Activation activation, Value x, DataType type, double negativeSlope = RowActivations.LeakySlope)
    {
        switch (activation)
        {
            case Activation.None:
                return x;
            case Activation.Relu:
                return graph.Node("Relu", [x]);
            case Activation.LeakyRelu:
                return graph.Node("LeakyRelu", [x], ("alpha", (float)negativeSlope));
            case Activation.SquaredRelu:
                var positive = graph.Node("Relu", [x]);
                return graph.Product(positive, positive);
            case Activation.Gelu: // x / 2 * (1 + erf(x / sqrt 2))
                var error = graph.Node("Erf", [graph.Node("Div", [x, Number(Math.Sqrt(2))])]);
                return graph.Product(graph.Product(x, graph.Sum(error, Number(1))), Number(0.5));
            case Activation.GeluTanh: // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), in the order that ONNX Runtime fuses
                var cubic = graph.Sum(x, graph.Product(graph.Node("Pow", [x, Number(3)]), Number(0.044715)));
                var tanh = graph.Node("Tanh", [graph.Product(cubic, Number(Math.Sqrt(2 / Math.PI)))]);
                return graph.Product(graph.Product(x, Number(0.5)), graph.Sum(tanh, Number(1)));
            case Activation.QuickGelu:
                return graph.Product(x, graph.Node("Sigmoid", [graph.Product(x, Number(1.702))]));
            case Activation.Silu:
                return graph.Product(x, graph.Node("Sigmoid", [x]));
            case Activation.Sigmoid:
                return graph.Node("Sigmoid", [x]);
            case Activation.Tanh:
                return graph.Node("Tanh", [x]);
            case Activation.Softmax:
                return graph.Node("Softmax", [x], ("axis", -1L));
            default:
                throw new NotSupportedException($"The activation {activation} cannot be written to an ONNX file.");
        }

        Value Number(double value) => graph.Constant(value, type);
    }
}
