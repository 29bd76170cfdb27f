using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Numerics;

/// <summary>The function that a layer applies to what it computed, element by element but for <see cref="Softmax"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Activation>))]
public enum Activation
{
    /// <summary>x.</summary>
    None,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x where it is positive, else 0.01 x; a layer of its own may have another slope.</summary>
    LeakyRelu,

    /// <summary>x times the normal distribution function of x (arXiv 1606.08415), the exact form.</summary>
    Gelu,

    /// <summary>x / (1 + exp(-x)), also called swish.</summary>
    Silu,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>exp(x) divided by its sum over the last dimension.</summary>
    Softmax,

    /// <summary>x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2: the approximation of <see cref="Gelu"/> of arXiv 1606.08415.</summary>
    GeluTanh,

    /// <summary>x / (1 + exp(-1.702 x)): the coarser approximation of <see cref="Gelu"/> of arXiv 1606.08415.</summary>
    QuickGelu,

    /// <summary>max(0, x)^2 (arXiv 2109.08668).</summary>
    SquaredRelu,
}
