using System.Diagnostics;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Numerics;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>
/// Short pieces of work one after the other, on more threads than there are cores, some of them held up: a thread that comes late to one
/// piece must not touch the next.
/// </summary>
public unsafe class WorkerTeamTests
{
    private const int Threads = 9;
    private const int MostBlocks = 12;

    /// <summary>Every so many calls a thread sleeps, or gives up its core.</summary>
    private const int SleepingCalls = 50_021;

    private const int YieldingCalls = 1009;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static int s_calls;

    [Fact]
    public void Late_threads_do_no_block_twice_and_none_of_finished_work() => Stress(TimeSpan.FromSeconds(0.5));

    [Fact(Explicit = true)]
    public void Late_threads_do_no_block_twice_and_none_of_finished_work_for_a_minute() => Stress(TimeSpan.FromMinutes(1));

    private static void Stress(TimeSpan duration)
    {
        // A block that is done twice can also leave the caller waiting for ever.
        var stress = Task.Factory.StartNew(
            () => StressFor(duration), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(stress.Wait(duration + s_patience, TestContext.Current.CancellationToken), "A piece of work never ended.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{stress.Result} pieces of work");
    }

    /// <returns>The number of pieces.</returns>
    private static int StressFor(TimeSpan duration)
    {
        using var ending = new CancellationTokenSource();
        var distraction = new Thread(() =>
        {
            // Takes a core away again and again, so that workers are stopped anywhere.
            while (!ending.IsCancellationRequested)
            {
                Thread.SpinWait(20_000);
                Thread.Sleep(0);
            }
        });
        distraction.Start();
        try
        {
            var runs = 0;
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration;)
                runs += StressSome(20_000);
            return runs;
        }
        finally
        {
            ending.Cancel();
            distraction.Join();
        }
    }

    private static int StressSome(int count)
    {
        var pieces = (Piece*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(Piece)); // late calls find them until the end
        try
        {
            // Nothing between two pieces, and after one of few blocks one of many: who is late finds the next one begun.
            for (var i = 0; i < count; i++)
            {
                pieces[i].Blocks = i % 2 == 0 ? 2 : MostBlocks;
                WorkerTeam.Run(pieces[i].Blocks, i % 16 < 12 ? 2 : Threads, &DoBlock, pieces + i);
                Volatile.Write(ref pieces[i].IsFinished, 1);
            }

            Thread.Sleep(2); // for who is late
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(0, pieces[i].LateCalls);
                for (var block = 0; block < MostBlocks; block++)
                    Assert.Equal(block < pieces[i].Blocks ? 1 : 0, pieces[i].Calls[block]);
            }
        }
        finally
        {
            NativeMemory.Free(pieces);
        }

        return count;
    }

    private static void DoBlock(void* work, int block)
    {
        var piece = (Piece*)work;
        if (Volatile.Read(ref piece->IsFinished) != 0 || (uint)block >= (uint)piece->Blocks)
            Interlocked.Increment(ref piece->LateCalls);
        var calls = Interlocked.Increment(ref s_calls);
        if (calls % SleepingCalls == 0)
            Thread.Sleep(1);
        else if (calls % YieldingCalls == 0)
            Thread.Yield();
        Interlocked.Increment(ref piece->Calls[Math.Clamp(block, 0, MostBlocks - 1)]);
    }

    private struct Piece
    {
        public int Blocks;
        public int IsFinished;
        public int LateCalls;
        public fixed int Calls[MostBlocks];
    }
}
