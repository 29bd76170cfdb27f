using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Attention of one new position of each sequence to cached ones.</summary>
/// <remarks>
/// Query head h reads key-value head h / (query heads / key-value heads). Four or more that share one are rows of one product, and each of
/// their numbers is the chain of sums that it would be alone: neither threads nor other rows nor other heads change a bit.
/// </remarks>
internal static unsafe class RowAttention
{
    private const long SmallestBlockBytes = 64 << 10;

    /// <summary>Fewer query heads than the smallest tile has rows are faster one by one: what they share waits in a cache.</summary>
    private const int SmallestTile = 4;

    /// <summary>softmax(scores) * values, where scores are query times key and what <paramref name="attention"/> makes of it.</summary>
    /// <param name="queries">[rows, heads, head width], where the heads are a multiple of the key-value heads.</param>
    /// <param name="cache">Keys and values of as many sequences as there are rows, those of the new positions among them.</param>
    /// <param name="attention">What rows see.</param>
    /// <param name="output">[rows, heads, head width].</param>
    /// <param name="threads">The most threads that are used.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a row sees nothing.</exception>
    public static void Compute(RowSlices queries, CachedRows cache, AttentionRows attention, Span<float> output, int threads)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<Lanes512, Vector512<float>>(queries, cache, attention, output, threads);
        else if (Vector256.IsHardwareAccelerated)
            Compute<Lanes256, Vector256<float>>(queries, cache, attention, output, threads);
        else
            Compute<Lanes128, Vector128<float>>(queries, cache, attention, output, threads);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal static void Compute<TLanes, TVector>(
        RowSlices queries, CachedRows cache, AttentionRows attention, Span<float> output, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        Check(queries, cache, attention, output);
        var group = queries.Slices / cache.Heads;
        var parts = Parts(queries.Rows * cache.Heads, group, threads);
        var queriesOfItem = (group + parts - 1) / parts;
        var paddedQueries = Padded<TLanes, TVector>(queriesOfItem);
        var items = queries.Rows * cache.Heads * parts;
        var itemBytes = 2L * cache.Length * cache.HeadWidth * NativeTensor.ElementSize(cache.ElementType) * queriesOfItem;
        var share = (items + threads - 1) / threads;
        var scratchOfItem = checked(paddedQueries * (cache.HeadWidth + cache.Length));
        using var scratch = new RowBuffer(checked(items * scratchOfItem));
        fixed (float* source = queries, scratchPointer = scratch.Span, target = output, bias = attention.Bias)
        fixed (int* starts = attention.Starts, ends = attention.Ends)
        {
            var work = new Work
            {
                Queries = source,
                RowStride = queries.RowStride,
                HeadStride = queries.SliceStride,
                Heads = queries.Slices,
                Group = group,
                Parts = parts,
                QueriesOfItem = queriesOfItem,
                Items = items,
                ItemsOfBlock = (int)Math.Clamp(SmallestBlockBytes / Math.Max(itemBytes, 1), 1, Math.Max(share, 1)),
                Cache = cache,
                Starts = starts,
                Ends = ends,
                Scale = attention.Scale,
                SoftCap = attention.SoftCap,
                Bias = bias,
                BiasRowStride = attention.Bias.Length == queries.Slices * cache.Length ? 0 : (nint)queries.Slices * cache.Length,
                Scratch = scratchPointer,
                ScratchOfItem = scratchOfItem,
                Output = target,
            };
            var blocks = (items + work.ItemsOfBlock - 1) / work.ItemsOfBlock;
            switch (cache.ElementType)
            {
                case ScalarType.BFloat16:
                    WorkerTeam.Run(blocks, threads, &ComputeBlock<TLanes, TVector, ushort>, &work);
                    break;
                case ScalarType.Float16:
                    WorkerTeam.Run(blocks, threads, &ComputeBlock<TLanes, TVector, Half>, &work);
                    break;
                default:
                    WorkerTeam.Run(blocks, threads, &ComputeBlock<TLanes, TVector, float>, &work);
                    break;
            }
        }
    }

    private static void Check(RowSlices queries, CachedRows cache, AttentionRows attention, Span<float> output)
    {
        var (rows, heads) = (queries.Rows, queries.Slices);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows, cache.Sequences, nameof(queries));
        ArgumentOutOfRangeException.ThrowIfNotEqual(queries.Width, cache.HeadWidth, nameof(queries));
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, checked(rows * heads * cache.HeadWidth));
        ArgumentOutOfRangeException.ThrowIfNotEqual(attention.Starts.Length, rows, nameof(attention));
        if (heads % cache.Heads != 0)
            throw new ArgumentException(
                $"{heads} query heads cannot share {cache.Heads} key-value ones. Give a multiple.", nameof(queries));
        if (attention.Ends.Length != 0)
            ArgumentOutOfRangeException.ThrowIfNotEqual(attention.Ends.Length, rows, nameof(attention));
        for (var row = 0; row < rows; row++)
        {
            var (start, end) = (attention.Starts[row], attention.Ends.Length == 0 ? cache.Length : attention.Ends[row]);
            if (start < 0 || start >= end || end > cache.Length)
            {
                throw new ArgumentException(
                    $"Row {row} sees positions {start} to {end - 1} of {cache.Length}. Give one or more of them.", nameof(attention));
            }
        }

        var biases = heads * cache.Length;
        if (attention.Bias.Length != 0 && attention.Bias.Length != biases && attention.Bias.Length != rows * biases)
        {
            throw new ArgumentException(
                $"The bias has {attention.Bias.Length} numbers. Give [{heads}, {cache.Length}] or [{rows}, {heads}, {cache.Length}].",
                nameof(attention));
        }
    }

    /// <summary>Into how many items a group of query heads is split: as few as keep all threads busy.</summary>
    private static int Parts(int groups, int group, int threads)
    {
        if (group < SmallestTile)
            return group;
        var most = groups < threads ? group : group / SmallestTile;
        for (var parts = 1; parts < most; parts++)
        {
            if (groups * parts % threads == 0 || groups * parts >= 4 * threads)
                return parts;
        }

        return most;
    }

    private static int Padded<TLanes, TVector>(int queries)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        queries < SmallestTile ? queries : RowTiles.Padded<TLanes, TVector>(queries);

    private static void ComputeBlock<TLanes, TVector, TElement>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        var work = (Work*)state;
        var end = Math.Min((block + 1) * work->ItemsOfBlock, work->Items);
        for (var item = block * work->ItemsOfBlock; item < end; item++)
            ComputeItem<TLanes, TVector, TElement>(work, item);
    }

    /// <summary>Some query heads of one row that share a key-value head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeItem<TLanes, TVector, TElement>(Work* work, int item)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        var (sharedHead, part) = Math.DivRem(item, work->Parts); // of all rows' [rows, key-value heads]
        var row = sharedHead / work->Cache.Heads;
        var firstOfGroup = part * work->QueriesOfItem;
        var queries = Math.Min(work->QueriesOfItem, work->Group - firstOfGroup);
        if (queries <= 0)
            return;
        var head = sharedHead % work->Cache.Heads * work->Group + firstOfGroup;
        var padded = Padded<TLanes, TVector>(queries);
        var width = work->Cache.HeadWidth;
        var start = work->Starts[row];
        var count = (work->Ends == null ? work->Cache.Length : work->Ends[row]) - start;
        var offset = ((nint)sharedHead * work->Cache.Capacity + start) * width; // [rows, key-value heads, capacity, head width]
        var x = work->Scratch + (nint)item * work->ScratchOfItem; // [padded queries, head width]: queries, then sums of values
        var scores = x + padded * width;                          // [padded queries, count]

        for (var query = 0; query < queries; query++)
        {
            var arranged = x + query * width;
            var source = work->Queries + (nint)row * work->RowStride + (nint)(head + query) * work->HeadStride;
            RowKernels<TLanes, TVector, TElement>.Arrange(source, arranged, width);
            RowKernels<TLanes, TVector, TElement>.Scale(arranged, work->Scale, arranged, width);
        }

        new Span<float>(x + queries * width, (padded - queries) * width).Clear();
        var step = queries < SmallestTile ? 1 : padded;
        for (var query = 0; query < padded; query += step)
        {
            RowDots<TLanes, TVector, TElement>.Compute(
                x + query * width, step, width, (TElement*)work->Cache.Keys + offset, scores + (nint)query * count, count, count);
        }

        var output = work->Output + ((nint)row * work->Heads + head) * width;
        for (var query = 0; query < queries; query++)
        {
            output[query * width] = ToExponentials<TLanes, TVector, TElement>( // the output is free until the end
                work, scores + (nint)query * count, row, head + query, start, count);
        }

        SumValues<TLanes, TVector, TElement>(scores, queries, count, (TElement*)work->Cache.Values + offset, width, x);
        for (var query = 0; query < queries; query++)
        {
            var sums = x + query * width;
            RowKernels<TLanes, TVector, TElement>.RestoreOrder(sums, width);
            RowKernels<TLanes, TVector, TElement>.Scale(sums, 1 / output[query * width], output + query * width, width);
        }
    }

    /// <summary>The numerators of the softmax of one head, where its scores lie.</summary>
    /// <returns>The denominator.</returns>
    private static float ToExponentials<TLanes, TVector, TElement>(Work* work, float* scores, int row, int head, int start, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        if (work->SoftCap != 0)
            RowKernels<TLanes, TVector, TElement>.SoftCap(scores, work->SoftCap, count);
        if (work->Bias != null)
        {
            var bias = work->Bias + row * work->BiasRowStride + (nint)head * work->Cache.Length + start;
            RowKernels<TLanes, TVector, TElement>.Add(bias, scores, count);
        }

        return RowKernels<TLanes, TVector, TElement>.Exponentials(scores, count);
    }

    /// <summary>sums[q, c] = sum of factors[q, i] * values[i, c] over i.</summary>
    private static void SumValues<TLanes, TVector, TElement>(
        float* factors, int queries, int count, TElement* values, int width, float* sums)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TElement : unmanaged
    {
        // Panels are slow where no vectors fit.
        var tiled = queries < SmallestTile ? 0 : width / (2 * TLanes.Count) * (2 * TLanes.Count);
        for (int query = 0, height; query < queries && tiled > 0; query += height)
        {
            height = RowTiles.Height<TLanes, TVector>(queries - query);
            RowPanels<TLanes, TVector, TElement>.Add(
                factors + (nint)query * count, count, height, values, width, count, null,
                sums + (nint)query * width, width, tiled, isFirst: true);
        }

        for (var query = 0; query < queries && tiled < width; query++)
        {
            var rest = sums + (nint)query * width + tiled;
            new Span<float>(rest, width - tiled).Clear();
            RowKernels<TLanes, TVector, TElement>.AddProducts(
                factors + (nint)query * count, count, values + tiled, width, rest, width - tiled);
        }
    }

    private struct Work
    {
        public float* Queries;
        public int RowStride;
        public int HeadStride;
        public int Heads;
        public int Group; // query heads that share a key-value head
        public int Parts; // items that share a key-value head
        public int QueriesOfItem;
        public int Items;
        public int ItemsOfBlock;
        public CachedRows Cache;
        public int* Starts;
        public int* Ends; // null for the cache's length
        public float Scale;
        public float SoftCap;
        public float* Bias; // null for none
        public nint BiasRowStride;
        public float* Scratch;
        public int ScratchOfItem;
        public float* Output;
    }
}
