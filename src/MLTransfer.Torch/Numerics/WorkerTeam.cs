using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics;

/// <summary>Threads that take blocks of work with little delay: they spin for a moment before they sleep.</summary>
/// <remarks>
/// Decoding one token is some sixty products of 10 to 500 microseconds each; starting a <see cref="Parallel"/> loop costs about as much as
/// the shortest of them. Blocks are claimed one by one, so that a thread that gets no processor time holds up no more than the block it is
/// in.
/// </remarks>
internal static unsafe class WorkerTeam
{
    /// <summary>Longer than what lies between two products or two tokens, short enough to waste little.</summary>
    private static readonly long s_spinTicks = Stopwatch.Frequency / 5000;

    private static Worker[] s_workers = [];
    private static State s_state;

    /// <summary>
    /// Calls <paramref name="body"/> with 0 to <paramref name="blocks"/> - 1 on several threads, this one among them, and waits for all.
    /// </summary>
    /// <param name="blocks">The number of blocks.</param>
    /// <param name="threads">The most threads that are used. While others use the team, this thread does all blocks itself.</param>
    /// <param name="body">Computes one block; may not throw.</param>
    /// <param name="work">What it is told beside the block's index.</param>
    public static void Run(int blocks, int threads, delegate*<void*, int, void> body, void* work)
    {
        if (blocks <= 1 || threads <= 1 || Interlocked.Exchange(ref s_state.Busy, 1) != 0)
        {
            for (var block = 0; block < blocks; block++)
                body(work, block);
            return;
        }

        var helpers = Math.Min(threads, blocks) - 1;
        if (s_workers.Length < helpers)
            AddWorkers(helpers);
        s_state.Body = body;
        s_state.Work = work;
        s_state.Blocks = blocks;
        s_state.Helpers = helpers;
        s_state.Finished = 0;
        var epoch = ++s_state.Epoch;
        Interlocked.Exchange(ref s_state.Claims, ((long)epoch << 32) + blocks); // everyone may begin
        for (var i = 0; i < helpers; i++)
            s_workers[i].Wake();

        var mine = TakeBlocks(epoch);
        for (SpinWait wait = default; Volatile.Read(ref s_state.Finished) + mine != blocks;)
            SpinOrYield(ref wait);
        Volatile.Write(ref s_state.Busy, 0);
    }

    private static void SpinOrYield(ref SpinWait wait)
    {
        if (wait.NextSpinWillYield)
            wait.SpinOnce(sleep1Threshold: -1); // a millisecond's sleep would be longer than the block that is waited for
        else
            Thread.SpinWait(1);
    }

    private static void AddWorkers(int count)
    {
        var workers = new Worker[count];
        s_workers.CopyTo(workers, 0);
        for (var i = s_workers.Length; i < count; i++)
            workers[i] = new Worker(i);
        s_workers = workers;
    }

    /// <summary>Does blocks of the work of <paramref name="epoch"/> until none is left.</summary>
    /// <returns>The number of blocks done.</returns>
    private static int TakeBlocks(int epoch)
    {
        for (var done = 0; ;)
        {
            // A claim that succeeds proves that the work was not finished when it was read: nobody has replaced it.
            var claims = Volatile.Read(ref s_state.Claims);
            var body = s_state.Body;
            var work = s_state.Work;
            var remaining = (int)claims; // beside the epoch, not in a field: whoever comes late must see that nothing is left
            if ((int)(claims >> 32) != epoch || remaining == 0)
                return done;
            var block = s_state.Blocks - remaining;
            if (Interlocked.CompareExchange(ref s_state.Claims, claims - 1, claims) != claims)
                continue;
            body(work, block);
            done++;
        }
    }

    /// <summary>What threads share; what one of them changes often is away from what others read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct State
    {
        /// <summary>The epoch in the upper half, the number of blocks that nobody has taken in the lower one.</summary>
        [FieldOffset(64)]
        public long Claims;

        [FieldOffset(128)]
        public int Finished;

        [FieldOffset(192)]
        public delegate*<void*, int, void> Body;

        [FieldOffset(200)]
        public void* Work;

        [FieldOffset(208)]
        public int Blocks;

        [FieldOffset(212)]
        public int Helpers;

        [FieldOffset(216)]
        public int Epoch;

        [FieldOffset(320)]
        public int Busy;
    }

    private sealed class Worker
    {
        private readonly int _index;
        private readonly object _gate = new();
        private int _sleeps;

        public Worker(int index)
        {
            _index = index;
            new Thread(Work) { IsBackground = true, Name = "MLTransfer worker" }.Start();
        }

        public void Wake()
        {
            if (Volatile.Read(ref _sleeps) == 0)
                return;
            lock (_gate)
            {
                _sleeps = 0;
                Monitor.Pulse(_gate);
            }
        }

        private void Work()
        {
            for (var seen = 0; ;)
            {
                seen = NextEpoch(seen);
                if (_index < s_state.Helpers && TakeBlocks(seen) is var done and > 0)
                    Interlocked.Add(ref s_state.Finished, done);
            }
        }

        private int NextEpoch(int seen)
        {
            while (true)
            {
                for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - start < s_spinTicks;)
                {
                    for (var i = 0; i < 16; i++)
                    {
                        if (Epoch() is var epoch && epoch != seen)
                            return epoch;
                        Thread.SpinWait(1);
                    }
                }

                // Whoever starts work after this line wakes us; what was started before it is seen below.
                lock (_gate)
                {
                    Interlocked.Exchange(ref _sleeps, 1);
                    while (_sleeps != 0 && Epoch() == seen)
                        Monitor.Wait(_gate);
                    _sleeps = 0;
                }
            }
        }

        private static int Epoch() => (int)(Volatile.Read(ref s_state.Claims) >> 32);
    }
}
