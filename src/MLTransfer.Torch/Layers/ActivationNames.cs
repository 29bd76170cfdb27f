using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Layers;

/// <summary>Activation functions by the names that <c>config.json</c> uses.</summary>
internal static class ActivationNames
{
    private static readonly Dictionary<string, Activation> s_activations = new()
    {
        ["gelu_new"] = Activation.GeluTanh,
        ["gelu_fast"] = Activation.GeluTanh,
        ["gelu_pytorch_tanh"] = Activation.GeluTanh,
        ["gelu_python_tanh"] = Activation.GeluTanh,
        ["gelu_accurate"] = Activation.GeluTanh,
        ["gelu"] = Activation.Gelu,
        ["gelu_python"] = Activation.Gelu,
        ["quick_gelu"] = Activation.QuickGelu,
        ["relu"] = Activation.Relu,
        ["relu2"] = Activation.SquaredRelu,
        ["leaky_relu"] = Activation.LeakyRelu,
        ["silu"] = Activation.Silu,
        ["swish"] = Activation.Silu,
        ["sigmoid"] = Activation.Sigmoid,
        ["tanh"] = Activation.Tanh,
        ["linear"] = Activation.None,
    };

    /// <exception cref="NotSupportedException">The name is not known.</exception>
    public static Activation Parse(string name) => s_activations.TryGetValue(name, out var activation)
        ? activation
        : throw new NotSupportedException(
            $"config.json: activation function '{name}' is not supported. Supported: {string.Join(", ", s_activations.Keys)}.");
}
