using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>libtorch's one generator of the process, which modules draw from that take no other.</summary>
internal static class ProcessGenerator
{
    private static readonly Lock s_lock = new();

    /// <summary>
    /// Computes something with the process's generator in the place of another, which then stands where that stopped. The process's own
    /// stream goes on afterwards as if nothing had been drawn. One thread at a time; what draws outside of this may still take numbers of
    /// the one that is inside.
    /// </summary>
    public static T Lend<T>(Generator generator, Func<T> compute)
    {
        lock (s_lock)
        {
            using var own = random.get_rng_state();
            using (var state = generator.get_state())
                random.set_rng_state(state);
            try
            {
                var result = compute();
                using var state = random.get_rng_state();
                generator.set_state(state);
                return result;
            }
            finally
            {
                random.set_rng_state(own);
            }
        }
    }
}
