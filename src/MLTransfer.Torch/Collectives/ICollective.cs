namespace MLTransfer.Torch.Collectives;

/// <summary>
/// The processes ("ranks") that share a piece of work, seen from one of them; what MPI calls a communicator. All ranks call the same
/// members in the same order, from one thread at a time, and with arguments of the same length: each call waits for the others'.
/// </summary>
public interface ICollective
{
    /// <summary>Which of the ranks this one is, from 0.</summary>
    int Rank { get; }

    /// <summary>How many ranks there are.</summary>
    int Size { get; }

    /// <summary>Puts sums over all ranks in the place of numbers. All ranks get the same bits.</summary>
    void AllReduceSum(Span<float> values);

    /// <inheritdoc cref="AllReduceSum(Span{float})"/>
    void AllReduceSum(Span<double> values);

    /// <summary>Puts the bytes of a rank in the place of those of all others.</summary>
    /// <param name="bytes">As many on every rank.</param>
    /// <param name="root">The rank whose bytes they are.</param>
    void Broadcast(Span<byte> bytes, int root = 0);

    /// <summary>Gives all ranks the bytes of all, in the order of ranks.</summary>
    /// <param name="own">As many on every rank.</param>
    /// <param name="all"><see cref="Size"/> times as many.</param>
    void AllGather(ReadOnlySpan<byte> own, Span<byte> all);

    /// <summary>Returns when all ranks have come here.</summary>
    void Barrier();

    /// <summary>
    /// Ends all ranks, because this one cannot go on: the others would wait for it in their next call, for ever. Where ranks are processes
    /// it does not return, and the exit code is not zero.
    /// </summary>
    /// <param name="reason">What is told.</param>
    void Abort(Exception reason);
}
