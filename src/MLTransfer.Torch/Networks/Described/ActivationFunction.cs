using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Computes an <see cref="Activation"/>.</summary>
internal static class ActivationFunction
{
    public const double LeakySlope = 0.01;

    public static Tensor Apply(Activation activation, Tensor input) => activation switch
    {
        Activation.None => input.alias(),
        Activation.Relu => F.relu(input),
        Activation.LeakyRelu => F.leaky_relu(input, LeakySlope),
        Activation.Gelu => F.gelu(input),
        Activation.Silu => F.silu(input),
        Activation.Sigmoid => sigmoid(input),
        Activation.Tanh => tanh(input),
        Activation.Softmax => softmax(input, -1),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "The activation is not defined."),
    };

    /// <summary>
    /// How weights in front of the activation start: normal with variance 2 / inputs before rectifiers (He et al. 2015, arXiv 1502.01852), else
    /// 2 / (inputs + outputs) (Glorot and Bengio 2010).
    /// </summary>
    public static Layers.Initialization WeightInitialization(Activation activation, double inputs, double outputs) =>
        Layers.Initialization.Normal(Math.Sqrt(
            activation is Activation.Relu or Activation.LeakyRelu or Activation.Gelu or Activation.Silu ? 2 / inputs : 2 / (inputs + outputs)));
}
