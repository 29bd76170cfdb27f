using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Infilling;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Seeds for what the user gave none for.</summary>
internal static class Seeds
{
    /// <summary>The seed of the <c>MLContext</c>; a random one where it has none.</summary>
    public static long Of(IHost host) => ((IHostEnvironmentInternal)host).Seed ?? host.Rand.Next();

    /// <summary>Options with a seed, so that a transformer gives the same row the same text every time.</summary>
    public static GenerationOptions Fix(GenerationOptions options, long seed) =>
        options.Seed is null ? options with { Seed = seed } : options;

    /// <inheritdoc cref="Fix(GenerationOptions, long)"/>
    public static InfillingOptions Fix(InfillingOptions options, long seed) =>
        options.Seed is null ? options with { Seed = seed } : options;
}
