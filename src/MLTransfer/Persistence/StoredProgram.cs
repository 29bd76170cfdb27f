using MLTransfer.Torch.Networks.Described;

namespace MLTransfer.Persistence;

/// <summary>A TorchScript program in a model file.</summary>
internal static class StoredProgram
{
    /// <summary>It is run only where the application says so.</summary>
    /// <exception cref="InvalidOperationException">It has not.</exception>
    public static void CheckIsAllowed()
    {
        if (!TrustedModules.AllowTorchScript)
        {
            throw new InvalidOperationException(
                "The model file holds a TorchScript program, which this program has not allowed. If you trust the file, set "
                + $"{nameof(TrustedModules)}.{nameof(TrustedModules.AllowTorchScript)} = true before loading it.");
        }
    }
}
