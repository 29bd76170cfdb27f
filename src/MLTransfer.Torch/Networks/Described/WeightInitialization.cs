using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>How the weights of described layers start.</summary>
internal static class WeightInitialization
{
    /// <summary>
    /// Weights in front of an activation: normal with variance 2 / inputs before rectifiers (He et al. 2015, arXiv 1502.01852), else
    /// 2 / (inputs + outputs) (Glorot and Bengio 2010).
    /// </summary>
    public static Initialization Before(Activation activation, double inputs, double outputs) => Initialization.Normal(Math.Sqrt(
        activation is Activation.None or Activation.Sigmoid or Activation.Tanh or Activation.Softmax ? 2 / (inputs + outputs)
            : 2 / inputs));
}
