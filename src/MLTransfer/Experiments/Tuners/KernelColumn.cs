using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>One dimension of the kernels of a density: one for each observation, and the prior's, the last.</summary>
internal abstract class KernelColumn
{
    /// <summary>Adds the logarithm of each kernel's density, or of its probability where values are discrete.</summary>
    public abstract void AddLogDensities(double value, Span<double> logarithms);

    /// <summary>Draws from one kernel.</summary>
    public abstract double Draw(int kernel, ref SplitMix64 draws);
}
