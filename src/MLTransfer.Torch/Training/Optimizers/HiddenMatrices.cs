using MLTransfer.Torch.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Which parameters are matrices inside a network, between what reads its input and what makes its output.</summary>
internal static class HiddenMatrices
{
    /// <summary>
    /// The matrices of a network's blocks; tables of biases by distance are none. Of a network without blocks all matrices that are no
    /// tables.
    /// </summary>
    /// <param name="network">What is trained.</param>
    public static Func<string, Parameter, bool> OfBlocks(GenerativeNetwork network)
    {
        var prefixes = network.BlockPrefixes;
        return (name, parameter) => parameter.dim() == 2 && !name.Contains("bias", StringComparison.Ordinal)
            && (prefixes.Count == 0 ? IsMatrix(parameter) && !network.IsEmbedding(name)
                : prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    /// <summary>Any matrix or kernel with more than one number along both sides.</summary>
    public static bool IsMatrix(Tensor parameter) =>
        parameter.dim() > 1 && parameter.shape[0] > 1 && parameter.numel() > parameter.shape[0];
}
