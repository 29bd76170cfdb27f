using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Attention of one new position of each sequence to the cached ones.</summary>
internal static unsafe class RowAttention
{
    private const long SmallestBlockBytes = 64 << 10;

    /// <summary>Stores the new keys and values behind the cached ones, and attends.</summary>
    /// <param name="queriesKeysValues">[rows, 3, heads, head width].</param>
    /// <param name="cache">The cached keys and values.</param>
    /// <param name="starts">For each row the first position that it may see.</param>
    /// <param name="scale">What query times key is multiplied with.</param>
    /// <param name="output">[rows, heads, head width].</param>
    /// <param name="threads">The most threads that are used.</param>
    public static void Compute(
        ReadOnlySpan<float> queriesKeysValues, CachedRows cache, ReadOnlySpan<int> starts, float scale, Span<float> output, int threads)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<Lanes512, Vector512<float>>(queriesKeysValues, cache, starts, scale, output, threads);
        else if (Vector256.IsHardwareAccelerated)
            Compute<Lanes256, Vector256<float>>(queriesKeysValues, cache, starts, scale, output, threads);
        else
            Compute<Lanes128, Vector128<float>>(queriesKeysValues, cache, starts, scale, output, threads);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal static void Compute<TLanes, TVector>(
        ReadOnlySpan<float> queriesKeysValues, CachedRows cache, ReadOnlySpan<int> starts, float scale, Span<float> output, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var rows = starts.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, checked(rows * cache.Heads * cache.HeadWidth));
        ArgumentOutOfRangeException.ThrowIfNotEqual(queriesKeysValues.Length, checked(3 * output.Length));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(cache.Length, cache.Capacity);
        var itemBytes = 2L * (cache.Length + 1) * cache.HeadWidth * (cache.IsBFloat16 ? 2 : 4);
        var items = rows * cache.Heads;
        var share = (items + threads - 1) / threads;
        var itemsOfBlock = (int)Math.Clamp(SmallestBlockBytes / itemBytes, 1, share);
        using var scores = new RowBuffer(checked(items * (cache.Length + 1)));
        fixed (float* source = queriesKeysValues, scratch = scores.Span, target = output)
        fixed (int* first = starts)
        {
            var work = new Work(source, cache, first, items, itemsOfBlock, scale, scratch, target);
            var blocks = (items + itemsOfBlock - 1) / itemsOfBlock;
            if (cache.IsBFloat16)
                WorkerTeam.Run(blocks, threads, &ComputeBlock<TLanes, TVector, ushort>, &work);
            else
                WorkerTeam.Run(blocks, threads, &ComputeBlock<TLanes, TVector, float>, &work);
        }
    }

    private static void ComputeBlock<TLanes, TVector, TElement>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        var work = (Work*)state;
        var end = Math.Min((block + 1) * work->ItemsOfBlock, work->Items);
        for (var item = block * work->ItemsOfBlock; item < end; item++)
            ComputeHead<TLanes, TVector, TElement>(work, item);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeHead<TLanes, TVector, TElement>(Work* work, int item)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        var cache = work->Cache;
        var (row, head) = (item / cache.Heads, item % cache.Heads);
        var (headWidth, width) = (cache.HeadWidth, cache.Heads * cache.HeadWidth);
        var query = work->QueriesKeysValues + (nint)row * 3 * width + head * headWidth;
        var offset = (nint)item * cache.Capacity * headWidth; // [rows, heads, capacity, head width]
        var keys = (TElement*)cache.Keys + offset;
        var values = (TElement*)cache.Values + offset;
        Store(query + width, keys + (nint)cache.Length * headWidth, headWidth);
        Store(query + 2 * width, values + (nint)cache.Length * headWidth, headWidth);

        var start = work->Starts[row];
        var count = cache.Length + 1 - start;
        var scores = work->Scores + (nint)item * (cache.Length + 1);
        var output = work->Output + (nint)row * width + head * headWidth;

        RowKernels<TLanes, TVector, TElement>.Arrange(query, output, headWidth); // the output is free until the end
        RowKernels<TLanes, TVector, TElement>.Scale(output, work->Scale, headWidth);
        RowDots<TLanes, TVector, TElement>.Compute(output, 1, headWidth, keys + (nint)start * headWidth, scores, 0, count);
        var sum = RowKernels<TLanes, TVector, TElement>.Exponentials(scores, count);
        new Span<float>(output, headWidth).Clear();
        RowKernels<TLanes, TVector, TElement>.AddProducts(
            scores, count, values + (nint)start * headWidth, headWidth, output, headWidth);
        RowKernels<TLanes, TVector, TElement>.RestoreOrder(output, headWidth);
        RowKernels<TLanes, TVector, TElement>.Scale(output, 1 / sum, headWidth);
    }

    private static void Store<TElement>(float* source, TElement* target, int count)
        where TElement : unmanaged
    {
        if (typeof(TElement) == typeof(float))
        {
            new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(target, count));
            return;
        }

        BFloat16Bits.Narrow(new ReadOnlySpan<float>(source, count), new Span<ushort>(target, count));
    }

    private readonly struct Work(
        float* queriesKeysValues, CachedRows cache, int* starts, int items, int itemsOfBlock, float scale, float* scores, float* output)
    {
        public readonly float* QueriesKeysValues = queriesKeysValues;
        public readonly CachedRows Cache = cache;
        public readonly int* Starts = starts;
        public readonly int Items = items;
        public readonly int ItemsOfBlock = itemsOfBlock;
        public readonly float Scale = scale;
        public readonly float* Scores = scores;
        public readonly float* Output = output;
    }
}
