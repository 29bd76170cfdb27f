using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Products of a few rows with a matrix that is too large for the caches: the matrix is read once, in long runs, and summed up in float32.
/// </summary>
/// <remarks>
/// The order in which the terms of one element are added depends on neither the number of rows nor the columns computed beside it, so
/// neither batches nor threads change a bit of the result.
/// </remarks>
/// <typeparam name="TLanes">The vectors that are used.</typeparam>
/// <typeparam name="TVector">Likewise.</typeparam>
/// <typeparam name="TWeight">The matrix's elements: float, Half, or ushort for bfloat16.</typeparam>
internal static unsafe class RowKernels<TLanes, TVector, TWeight>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TWeight : unmanaged
{
    /// <summary>How many rows of a matrix lie between what is multiplied and what is prefetched.</summary>
    private const int PrefetchedRows = 4;

    private static int PairCount => 2 * TLanes.Count;

    private static bool IsBFloat16 => typeof(TWeight) == typeof(ushort);

    private static bool IsFloat16 => typeof(TWeight) == typeof(Half);

    /// <summary>Whether two elements take the place of a float and are widened from one load: see <see cref="ILanes{TVector}"/>.</summary>
    private static bool IsNarrow => IsBFloat16 || IsFloat16;

    /// <summary>
    /// Copies a row into the order in which <see cref="RowDots{TLanes, TVector, TWeight}"/> meets the elements of a matrix row.
    /// </summary>
    public static void Arrange(float* row, float* target, int count)
    {
        var i = 0;
        if (IsNarrow)
        {
            for (; i <= count - PairCount; i += PairCount)
            {
                for (var lane = 0; lane < TLanes.Count; lane++)
                {
                    target[i + lane] = row[i + 2 * lane];
                    target[i + TLanes.Count + lane] = row[i + 2 * lane + 1];
                }
            }
        }

        new ReadOnlySpan<float>(row + i, count - i).CopyTo(new Span<float>(target + i, count - i));
    }

    /// <summary>Undoes <see cref="Arrange"/> where it lies.</summary>
    public static void RestoreOrder(float* row, int count)
    {
        if (!IsNarrow)
            return;
        for (var i = 0; i <= count - PairCount; i += PairCount)
        {
            var (first, second) = (TLanes.Load(row + i), TLanes.Load(row + i + TLanes.Count));
            TLanes.Interleave(ref first, ref second);
            TLanes.Store(first, row + i);
            TLanes.Store(second, row + i + TLanes.Count);
        }
    }

    /// <summary>sums[c] += sum of x[i] * matrix[i, c] over i. The sums are in the order of <see cref="Arrange"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProducts(float* x, int inputs, TWeight* matrix, nint matrixStride, float* sums, int columns)
    {
        if (columns == 2 * PairCount)
        {
            AddToTwoPairs(x, inputs, matrix, matrixStride, sums);
            return;
        }

        // One stream through memory, which the processor foresees by itself. With 16-bit elements sums take too long for one row at a time.
        var i = 0;
        for (; IsNarrow && i <= inputs - 2; i += 2)
            AddTwoScaledRows(x + i, matrix + i * matrixStride, matrixStride, sums, columns);
        for (; i < inputs; i++)
            AddScaledRow(x[i], matrix + i * matrixStride, sums, columns);
    }

    /// <summary>target = activation(sums + bias), or target += that. The bias is in plain order, as the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float* sums, TWeight* bias, Activation activation, bool accumulate, float* target, int count)
    {
        var i = 0;
        for (; i <= count - PairCount; i += PairCount)
        {
            var (first, second) = (TLanes.Load(sums + i), TLanes.Load(sums + i + TLanes.Count));
            if (bias != null)
            {
                LoadPair(bias + i, out var firstBias, out var secondBias);
                if (IsNarrow)
                    TLanes.Interleave(ref firstBias, ref secondBias);
                (first, second) = (TLanes.Add(first, firstBias), TLanes.Add(second, secondBias));
            }

            (first, second) =
                (RowActivations.Apply<TLanes, TVector>(activation, first), RowActivations.Apply<TLanes, TVector>(activation, second));
            if (accumulate)
                (first, second) = (TLanes.Add(TLanes.Load(target + i), first), TLanes.Add(TLanes.Load(target + i + TLanes.Count), second));
            TLanes.Store(first, target + i);
            TLanes.Store(second, target + i + TLanes.Count);
        }

        for (; i < count; i++)
        {
            var value = bias == null ? sums[i] : sums[i] + ToSingle(bias[i]);
            value = RowActivations.Apply<ScalarLanes, float>(activation, value);
            target[i] = accumulate ? target[i] + value : value;
        }
    }

    /// <summary>Replaces numbers by exp(number - the largest) and gives the sum of these.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* values, int count)
    {
        var maximum = float.NegativeInfinity;
        var i = 0;
        if (count >= TLanes.Count)
        {
            var lanes = TLanes.Load(values);
            for (i = TLanes.Count; i <= count - TLanes.Count; i += TLanes.Count)
                lanes = TLanes.Max(lanes, TLanes.Load(values + i));
            maximum = TLanes.Largest(lanes);
        }

        for (; i < count; i++)
            maximum = MathF.Max(maximum, values[i]);

        var sums = TLanes.Broadcast(0);
        for (i = 0; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var exponentials = TLanes.Exp(TLanes.Add(TLanes.Load(values + i), TLanes.Broadcast(-maximum)));
            TLanes.Store(exponentials, values + i);
            sums = TLanes.Add(sums, exponentials);
        }

        var sum = TLanes.Sum(sums);
        for (; i < count; i++)
            sum += values[i] = MathF.Exp(values[i] - maximum);
        return sum;
    }

    /// <summary>target += source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* source, float* target, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Add(TLanes.Load(target + i), TLanes.Load(source + i)), target + i);
        for (; i < count; i++)
            target[i] += source[i];
    }

    /// <summary>target = row * factor; the target may be the row.</summary>
    public static void Scale(float* row, float factor, float* target, int count) =>
        TensorPrimitives.Multiply(new ReadOnlySpan<float>(row, count), factor, new Span<float>(target, count));

    /// <summary>scores = cap * tanh(scores / cap).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SoftCap(float* scores, float cap, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var ratio = TLanes.Divide(TLanes.Load(scores + i), TLanes.Broadcast(cap));
            TLanes.Store(TLanes.Multiply(LaneFunctions.Tanh<TLanes, TVector>(ratio), TLanes.Broadcast(cap)), scores + i);
        }

        for (; i < count; i++)
            scores[i] = LaneFunctions.Tanh<ScalarLanes, float>(scores[i] / cap) * cap;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(TWeight weight)
    {
        if (IsBFloat16)
            return BFloat16Bits.ToSingle(Unsafe.BitCast<TWeight, ushort>(weight));
        return IsFloat16 ? (float)Unsafe.BitCast<TWeight, Half>(weight) : Unsafe.BitCast<TWeight, float>(weight);
    }

    /// <summary>
    /// Starts to bring a pair into the second-level cache. Where several rows are multiplied, the processor computes longer on what it has
    /// loaded than it looks ahead, and memory would idle. The first level has no room: it holds the rows and the sums.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(TWeight* weights)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch1(weights);
        if (!IsNarrow)
            Sse.Prefetch1((float*)weights + TLanes.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair(TWeight* source, out TVector first, out TVector second)
    {
        if (IsBFloat16)
        {
            TLanes.Widen((ushort*)source, out first, out second);
        }
        else if (IsFloat16)
        {
            TLanes.Widen((Half*)source, out first, out second);
        }
        else
        {
            first = TLanes.Load((float*)source);
            second = TLanes.Load((float*)source + TLanes.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAddPair(TWeight* weights, TVector factor, ref TVector first, ref TVector second)
    {
        LoadPair(weights, out var firstWeight, out var secondWeight);
        first = TLanes.MultiplyAdd(firstWeight, factor, first);
        second = TLanes.MultiplyAdd(secondWeight, factor, second);
    }

    /// <summary>The sums of a matrix that narrow, an attention head's values, stay in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddToTwoPairs(float* x, int inputs, TWeight* matrix, nint stride, float* sums)
    {
        var (a, b) = (TLanes.Load(sums), TLanes.Load(sums + TLanes.Count));
        var (c, d) = (TLanes.Load(sums + PairCount), TLanes.Load(sums + PairCount + TLanes.Count));
        for (var end = x + inputs; x < end; x++)
        {
            var factor = TLanes.Broadcast(*x);
            MultiplyAddPair(matrix, factor, ref a, ref b);
            MultiplyAddPair(matrix + PairCount, factor, ref c, ref d);
            matrix += stride;
        }

        TLanes.Store(a, sums);
        TLanes.Store(b, sums + TLanes.Count);
        TLanes.Store(c, sums + PairCount);
        TLanes.Store(d, sums + PairCount + TLanes.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTwoScaledRows(float* x, TWeight* weights, nint stride, float* sums, int columns)
    {
        var (x0, x1) = (TLanes.Broadcast(x[0]), TLanes.Broadcast(x[1]));
        var column = 0;
        for (; column <= columns - PairCount; column += PairCount)
        {
            var (first, second) = (TLanes.Load(sums + column), TLanes.Load(sums + column + TLanes.Count));
            Prefetch(weights + PrefetchedRows * stride + 2 * column);
            Prefetch(weights + PrefetchedRows * stride + 2 * column + PairCount);
            MultiplyAddPair(weights + column, x0, ref first, ref second);
            MultiplyAddPair(weights + stride + column, x1, ref first, ref second);
            TLanes.Store(first, sums + column);
            TLanes.Store(second, sums + column + TLanes.Count);
        }

        for (; column < columns; column++)
        {
            sums[column] = float.MultiplyAddEstimate(ToSingle(weights[column]), x[0], sums[column]);
            sums[column] = float.MultiplyAddEstimate(ToSingle(weights[stride + column]), x[1], sums[column]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddScaledRow(float x, TWeight* weights, float* sums, int columns)
    {
        var factor = TLanes.Broadcast(x);
        var column = 0;
        for (; column <= columns - PairCount; column += PairCount)
        {
            var (first, second) = (TLanes.Load(sums + column), TLanes.Load(sums + column + TLanes.Count));
            MultiplyAddPair(weights + column, factor, ref first, ref second);
            TLanes.Store(first, sums + column);
            TLanes.Store(second, sums + column + TLanes.Count);
        }

        for (; column < columns; column++)
            sums[column] = float.MultiplyAddEstimate(ToSingle(weights[column]), x, sums[column]);
    }
}
