using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>Computes an <see cref="Activation"/> of tensors.</summary>
internal static class ActivationFunction
{
    /// <summary>A new tensor of the input's shape.</summary>
    /// <param name="activation">Which one.</param>
    /// <param name="input">Of any shape.</param>
    /// <param name="negativeSlope">What a leaky rectifier multiplies negative values with.</param>
    public static Tensor Apply(
        Activation activation, Tensor input, double negativeSlope = RowActivations.LeakySlope) => activation switch
    {
        Activation.None => input.alias(),
        Activation.Relu => F.relu(input),
        Activation.LeakyRelu => F.leaky_relu(input, negativeSlope),
        Activation.SquaredRelu => F.relu(input).square(),
        Activation.Gelu => F.gelu(input),
        Activation.GeluTanh => F.gelu(input, TorchSharp.Modules.GELU.Approximate.tanh),
        Activation.QuickGelu => input * sigmoid(input * 1.702),
        Activation.Silu => F.silu(input),
        Activation.Sigmoid => sigmoid(input),
        Activation.Tanh => tanh(input),
        Activation.Softmax => softmax(input, -1),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "The activation is not defined."),
    };
}
