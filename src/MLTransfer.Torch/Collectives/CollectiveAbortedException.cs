namespace MLTransfer.Torch.Collectives;

/// <summary>Another rank has ended the work of all.</summary>
/// <param name="rank">Which one.</param>
/// <param name="reason">Why.</param>
public sealed class CollectiveAbortedException(int rank, Exception reason)
    : InvalidOperationException($"Rank {rank} ended the work of all ranks: {reason.Message}", reason)
{
    /// <summary>The rank that ended it.</summary>
    public int Rank => rank;
}
