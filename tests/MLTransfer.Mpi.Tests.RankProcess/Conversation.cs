using System.Runtime.CompilerServices;
using MLTransfer.Torch.Collectives;

namespace MLTransfer.Mpi.Tests.RankProcess;

/// <summary>All that ranks say to each other, with what .NET does by signals in between.</summary>
internal static class Conversation
{
    private const int Many = (1 << 24) + 3; // more than a message

    public static void Run(MpiCollective ranks)
    {
        var singles = new float[Many];
        singles.AsSpan().Fill(ranks.Rank + 1);
        ranks.AllReduceSum(singles);
        Holds(singles.AsSpan().IndexOfAnyExcept(ranks.Size * (ranks.Size + 1) / 2) < 0);

        double[] doubles = [0.1 * (ranks.Rank + 1)];
        ranks.AllReduceSum(doubles);
        Holds(Math.Abs(doubles[0] - 0.1 * ranks.Size * (ranks.Size + 1) / 2) < 1e-12);

        var bytes = new byte[5];
        bytes.AsSpan().Fill((byte)ranks.Rank);
        ranks.Broadcast(bytes, root: 1);
        Holds(bytes.All(value => value == 1));

        var all = new byte[2 * ranks.Size];
        ranks.AllGather([(byte)ranks.Rank, 9], all);
        Holds(all.SequenceEqual(Enumerable.Range(0, ranks.Size).SelectMany(rank => new byte[] { (byte)rank, 9 })));

        Holds(IsNullFound(null));
        GC.Collect();
        var onOtherThread = new Thread(() => ranks.AllReduceSum(doubles));
        onOtherThread.Start();
        onOtherThread.Join();
        ranks.Barrier();
        Console.WriteLine($"rank {ranks.Rank} of {ranks.Size} by {ranks.Library}");
    }

    /// <summary>.NET finds a null reference by the signal of a bad address.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsNullFound(ICollective? none)
    {
        try
        {
            return none!.Rank < 0;
        }
        catch (NullReferenceException)
        {
            return true;
        }
    }

    private static void Holds(bool condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        if (!condition)
            throw new InvalidOperationException($"It does not hold that {what}.");
    }
}
