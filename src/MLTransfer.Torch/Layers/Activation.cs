using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>Activation functions by the names that <c>config.json</c> uses.</summary>
internal static class Activation
{
    /// <summary>The same function for row kernels.</summary>
    /// <exception cref="NotSupportedException">The name is not known.</exception>
    public static RowActivation GetForRows(string name) => name switch
    {
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_accurate" => RowActivation.GeluTanh,
        "gelu" or "gelu_python" => RowActivation.Gelu,
        "quick_gelu" => RowActivation.QuickGelu,
        "relu" => RowActivation.Relu,
        "relu2" => RowActivation.SquaredRelu,
        "silu" or "swish" => RowActivation.Silu,
        "tanh" => RowActivation.Tanh,
        "sigmoid" => RowActivation.Sigmoid,
        _ => throw Unsupported(name),
    };

    /// <exception cref="NotSupportedException">The name is not known.</exception>
    public static Func<Tensor, Tensor> Get(string name) => name switch
    {
        // The tanh form of arXiv 1606.08415, under the several names that it was published with.
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_accurate" => static x => F.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "gelu" or "gelu_python" => static x => F.gelu(x),
        "quick_gelu" => static x => x * sigmoid(x * 1.702),
        "relu" => static x => F.relu(x),
        "silu" or "swish" => static x => F.silu(x),
        "relu2" => static x => F.relu(x).square(),
        "tanh" => static x => tanh(x),
        "sigmoid" => static x => sigmoid(x),
        _ => throw Unsupported(name),
    };

    private static NotSupportedException Unsupported(string name) => new(
        $"config.json: activation function '{name}' is not supported. Supported: gelu_new, gelu, quick_gelu, relu, relu2, silu, tanh, sigmoid.");
}
