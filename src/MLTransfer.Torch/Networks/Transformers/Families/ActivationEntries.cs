using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>The entries of a <c>config.json</c> that name an activation.</summary>
internal static class ActivationEntries
{
    /// <exception cref="NotSupportedException">The activation is not known.</exception>
    public static Activation Activation(this ConfigurationReader c, string key, string otherwise) =>
        ActivationNames.Find(c.Text(key, otherwise)) ?? throw new NotSupportedException(
            $"{c.Origin}: {key} is '{c.Text(key, otherwise)}'; supported are {string.Join(", ", ActivationNames.All)}.");
}
