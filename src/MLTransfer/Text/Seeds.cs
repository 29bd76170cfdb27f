using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Seeds for what the user gave none for.</summary>
internal static class Seeds
{
    /// <summary>The seed of the <c>MLContext</c>; a random one where it has none.</summary>
    public static long Of(IHost host) => ((IHostEnvironmentInternal)host).Seed ?? host.Rand.Next();
}
