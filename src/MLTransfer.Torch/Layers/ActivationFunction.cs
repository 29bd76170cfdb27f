using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>Computes an <see cref="Activation"/> of tensors.</summary>
internal static class ActivationFunction
{
    public const double LeakySlope = 0.01;

    /// <summary>A new tensor of the input's shape.</summary>
    public static Tensor Apply(Activation activation, Tensor input) => activation switch
    {
        Activation.None => input.alias(),
        Activation.Relu => F.relu(input),
        Activation.LeakyRelu => F.leaky_relu(input, LeakySlope),
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

    /// <summary>The same function for row kernels, or null where they have none.</summary>
    public static RowActivation? GetForRows(Activation activation) => activation switch
    {
        Activation.None => RowActivation.None,
        Activation.Relu => RowActivation.Relu,
        Activation.GeluTanh => RowActivation.GeluTanh,
        Activation.QuickGelu => RowActivation.QuickGelu,
        Activation.Silu => RowActivation.Silu,
        _ => null,
    };
}
