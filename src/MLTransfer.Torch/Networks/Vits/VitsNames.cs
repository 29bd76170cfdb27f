using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The names of a VITS checkpoint's tensors: older files call the parts of normalized weights otherwise.</summary>
internal static class VitsNames
{
    /// <summary>What begins the names of a discriminator that some files hold beside the model.</summary>
    public const string DiscriminatorPrefix = "discriminator.";

    private const string OlderLength = "weight_g";
    private const string OlderDirection = "weight_v";

    /// <summary>What a checkpoint calls a parameter; null where it has none.</summary>
    public static string? Find(string name, Func<string, bool> isThere) =>
        isThere(name) ? name : isThere(ToOlder(name)) ? ToOlder(name) : null;

    /// <summary>What a checkpoint calls a parameter of a discriminator, alone or beside its network; null where it has none.</summary>
    public static string? FindOfDiscriminator(string name, Func<string, bool> isThere)
    {
        var other = name.Replace(".conv_post.", ".final_conv.", StringComparison.Ordinal);
        return Find(name, isThere) ?? Find(DiscriminatorPrefix + name, isThere) ?? Find(DiscriminatorPrefix + other, isThere);
    }

    /// <summary>The name in files of older versions of transformers, and in those of the authors of HiFi-GAN.</summary>
    public static string ToOlder(string name) => name
        .Replace(ConvolutionWeight.Length, OlderLength, StringComparison.Ordinal)
        .Replace(ConvolutionWeight.Direction, OlderDirection, StringComparison.Ordinal);
}
