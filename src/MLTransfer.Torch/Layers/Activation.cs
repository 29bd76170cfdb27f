using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>Activation functions by the names that <c>config.json</c> uses.</summary>
internal static class Activation
{
    /// <summary>The same function for row kernels, or null where they have none.</summary>
    public static RowActivation? GetForRows(string name) => name switch
    {
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_accurate" => RowActivation.GeluTanh,
        "quick_gelu" => RowActivation.QuickGelu,
        "relu" => RowActivation.Relu,
        "silu" or "swish" => RowActivation.Silu,
        _ => null,
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
        "tanh" => static x => tanh(x),
        _ => throw new NotSupportedException(
            $"config.json: activation function '{name}' is not supported. Supported: gelu_new, gelu, quick_gelu, relu, silu, tanh."),
    };
}
