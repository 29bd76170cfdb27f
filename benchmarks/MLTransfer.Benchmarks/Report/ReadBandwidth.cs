using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>How fast memory can be read when every byte is used once.</summary>
internal static unsafe class ReadBandwidth
{
    private const long Bytes = 1L << 30; // far more than any cache
    private const int Repetitions = 5;

    /// <summary>Gigabytes a second: the best of some sums over one large buffer, each thread over a part of its own.</summary>
    public static double Measure()
    {
        var threads = get_num_threads();
        var part = Bytes / threads / (4 * Vector512<long>.Count * sizeof(long)) * (4 * Vector512<long>.Count);
        var buffer = (long*)NativeMemory.AlignedAlloc((nuint)Bytes, 64);
        try
        {
            OnEachThread(threads, thread => new Span<byte>(buffer + thread * part, checked((int)(part * sizeof(long)))).Fill(1));
            var sums = new long[threads];
            var best = Enumerable.Range(0, Repetitions).Min(_ =>
            {
                var start = Stopwatch.GetTimestamp();
                OnEachThread(threads, thread => sums[thread] = Sum(buffer + thread * part, part));
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            });
            return sums.All(sum => sum != 0)
                ? part * sizeof(long) * threads / best / 1e9
                : throw new InvalidOperationException("The buffer was not read.");
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Sum(long* values, long count)
    {
        Vector512<long> a = default, b = default, c = default, d = default;
        for (long i = 0; i < count; i += 4 * Vector512<long>.Count)
        {
            a += Vector512.Load(values + i);
            b += Vector512.Load(values + i + Vector512<long>.Count);
            c += Vector512.Load(values + i + 2 * Vector512<long>.Count);
            d += Vector512.Load(values + i + 3 * Vector512<long>.Count);
        }

        return Vector512.Sum(a + b + c + d);
    }

    private static void OnEachThread(int count, Action<int> action)
    {
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() => action(i))).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
    }
}
