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

    public static IEnumerable<string> All => s_activations.Keys;

    /// <summary>Null where the name is not known.</summary>
    public static Activation? Find(string name) => s_activations.TryGetValue(name, out var activation) ? activation : null;
}
