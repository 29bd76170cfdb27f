using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training;

/// <summary>Which captions a training leaves out, so that the network goes on knowing what has none, which guidance needs.</summary>
internal static class ConditionDropout
{
    /// <summary>The purpose of its seeds; see <see cref="TrainingStep.Seed"/>.</summary>
    private const ulong DropoutSeeds = 6;

    /// <summary>Whether a caption is left out: the seed, the epoch and the number alone decide.</summary>
    /// <param name="share">How often.</param>
    /// <param name="seed">The run's.</param>
    /// <param name="unit">The kind of what captions are left out of together; 0 for a row.</param>
    /// <param name="epoch">Its number, from 0.</param>
    /// <param name="number">The row's, or that of the unit.</param>
    public static bool LeavesOut(double share, long seed, ulong unit, int epoch, ulong number) =>
        new SplitMix64(SplitMix64.Mix((ulong)seed, DropoutSeeds, unit, (ulong)epoch, number)).NextDouble() < share;
}
