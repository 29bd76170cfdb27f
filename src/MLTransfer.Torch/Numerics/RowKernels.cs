using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MLTransfer.Torch.Numerics;

/// <summary>
/// Products of a few rows with a matrix that is too large for the caches: the matrix is read once, in long runs, and summed up in float32.
/// </summary>
/// <remarks>
/// The order in which the terms of one element are added depends on neither the number of rows nor the columns computed beside it, so neither
/// batches nor threads change a bit of the result.
/// </remarks>
/// <typeparam name="TLanes">The vectors that are used.</typeparam>
/// <typeparam name="TVector">Likewise.</typeparam>
/// <typeparam name="TWeight">The matrix's elements: float, or ushort for bfloat16.</typeparam>
internal static unsafe class RowKernels<TLanes, TVector, TWeight>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TWeight : unmanaged
{
    /// <summary>How many rows of a matrix [inputs, columns] are multiplied with four rows at a time.</summary>
    public const int PanelHeight = 16;

    /// <summary>How many rows of a matrix lie between what is multiplied and what is prefetched.</summary>
    private const int PrefetchedRows = 4;

    private static int PairCount => 2 * TLanes.Count;

    private static bool IsBFloat16 => typeof(TWeight) == typeof(ushort);

    /// <summary>Copies a row into the order in which <see cref="DotProducts"/> meets the elements of a matrix row.</summary>
    public static void Arrange(float* row, float* target, int count)
    {
        var i = 0;
        if (IsBFloat16)
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
        if (!IsBFloat16)
            return;
        for (var i = 0; i <= count - PairCount; i += PairCount)
        {
            var (first, second) = (TLanes.Load(row + i), TLanes.Load(row + i + TLanes.Count));
            TLanes.Interleave(ref first, ref second);
            TLanes.Store(first, row + i);
            TLanes.Store(second, row + i + TLanes.Count);
        }
    }

    /// <summary>sums[r, c] += sum of x[r, i] * matrix[i, c] over i. The sums are in the order of <see cref="Arrange"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProducts(
        float* x, nint rowStride, int rows, int inputs, TWeight* matrix, nint matrixStride, float* sums, nint sumStride, int columns)
    {
        var i = 0;
        for (; i <= inputs - PanelHeight && rows >= 4; i += PanelHeight)
        {
            var panel = matrix + i * matrixStride;
            var row = 0;
            for (; row <= rows - 4; row += 4)
                AddPanelOfFourRows(x + row * rowStride + i, rowStride, panel, matrixStride, sums + row * sumStride, sumStride, columns);
            for (; row < rows; row++)
            {
                for (var height = 0; height < PanelHeight; height++)
                    AddScaledRow(x[row * rowStride + i + height], panel + height * matrixStride, sums + row * sumStride, columns);
            }
        }

        // One stream through memory, which the processor foresees by itself. With bfloat16 the sums take too long for one row at a time.
        for (; IsBFloat16 && i <= inputs - 2; i += 2)
        {
            for (var row = 0; row < rows; row++)
                AddTwoScaledRows(x + row * rowStride + i, matrix + i * matrixStride, matrixStride, sums + row * sumStride, columns);
        }

        for (; i < inputs; i++)
        {
            for (var row = 0; row < rows; row++)
                AddScaledRow(x[row * rowStride + i], matrix + i * matrixStride, sums + row * sumStride, columns);
        }
    }

    /// <summary>products[r, o] = sum of x[r, i] * matrix[o, i] over i, with rows of x in the order of <see cref="Arrange"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DotProducts(
        float* x, nint rowStride, int rows, int inputs, TWeight* matrix, nint matrixStride, float* products, nint productStride, int outputs)
    {
        var output = 0;
        for (; output <= outputs - 2 && rows >= 4; output += 2)
        {
            var weights = matrix + output * matrixStride;
            var row = 0;
            for (; row <= rows - 4; row += 4)
                DotTwoByFour(x + row * rowStride, rowStride, inputs, weights, matrixStride, products + row * productStride + output, productStride);
            for (; row < rows; row++)
            {
                var target = products + row * productStride + output;
                target[0] = Dot(x + row * rowStride, inputs, weights);
                target[1] = Dot(x + row * rowStride, inputs, weights + matrixStride);
            }
        }

        for (; output < outputs; output++)
        {
            for (var row = 0; row < rows; row++)
                products[row * productStride + output] = Dot(x + row * rowStride, inputs, matrix + output * matrixStride);
        }
    }

    /// <summary>target = activation(sums + bias), or target += that. The bias is in plain order, as the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float* sums, TWeight* bias, RowActivation activation, bool accumulate, float* target, int count)
    {
        var i = 0;
        for (; i <= count - PairCount; i += PairCount)
        {
            var (first, second) = (TLanes.Load(sums + i), TLanes.Load(sums + i + TLanes.Count));
            if (bias != null)
            {
                LoadPair(bias + i, out var firstBias, out var secondBias);
                if (IsBFloat16)
                    TLanes.Interleave(ref firstBias, ref secondBias);
                (first, second) = (TLanes.Add(first, firstBias), TLanes.Add(second, secondBias));
            }

            (first, second) = (RowActivations.Apply<TLanes, TVector>(activation, first), RowActivations.Apply<TLanes, TVector>(activation, second));
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

    /// <summary>row * factor, where it lies.</summary>
    public static void Scale(float* row, float factor, int count)
    {
        for (var i = 0; i < count; i++)
            row[i] *= factor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(TWeight weight) =>
        IsBFloat16 ? BFloat16Bits.ToSingle(Unsafe.BitCast<TWeight, ushort>(weight)) : Unsafe.BitCast<TWeight, float>(weight);

    /// <summary>
    /// Starts to bring a pair into the second-level cache. Where several rows are multiplied, the processor computes longer on what it has
    /// loaded than it looks ahead, and memory would idle. The first level has no room: it holds the rows and the sums.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(TWeight* weights)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch1(weights);
        if (!IsBFloat16)
            Sse.Prefetch1((float*)weights + TLanes.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadPair(TWeight* source, out TVector first, out TVector second)
    {
        if (IsBFloat16)
        {
            TLanes.Widen((ushort*)source, out first, out second);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddPanelOfFourRows(float* x, nint rowStride, TWeight* panel, nint stride, float* sums, nint sumStride, int columns)
    {
        float* sumsA = sums, sumsB = sums + sumStride, sumsC = sums + 2 * sumStride, sumsD = sums + 3 * sumStride;
        var ahead = panel + PanelHeight * stride;
        var aheadEnd = ahead + columns;
        var column = 0;
        for (; column <= columns - PairCount; column += PairCount)
        {
            var second = column + TLanes.Count;
            var (a0, a1) = (TLanes.Load(sumsA + column), TLanes.Load(sumsA + second));
            var (b0, b1) = (TLanes.Load(sumsB + column), TLanes.Load(sumsB + second));
            var (c0, c1) = (TLanes.Load(sumsC + column), TLanes.Load(sumsC + second));
            var (d0, d1) = (TLanes.Load(sumsD + column), TLanes.Load(sumsD + second));
            var weights = panel + column;
            for (var i = 0; i < PanelHeight; i++)
            {
                Prefetch(ahead);
                ahead += PairCount;
                if (ahead >= aheadEnd)
                {
                    ahead += stride - columns;
                    aheadEnd += stride;
                }

                LoadPair(weights, out var w0, out var w1);
                var factor = TLanes.Broadcast(x[i]);
                (a0, a1) = (TLanes.MultiplyAdd(w0, factor, a0), TLanes.MultiplyAdd(w1, factor, a1));
                factor = TLanes.Broadcast(x[rowStride + i]);
                (b0, b1) = (TLanes.MultiplyAdd(w0, factor, b0), TLanes.MultiplyAdd(w1, factor, b1));
                factor = TLanes.Broadcast(x[2 * rowStride + i]);
                (c0, c1) = (TLanes.MultiplyAdd(w0, factor, c0), TLanes.MultiplyAdd(w1, factor, c1));
                factor = TLanes.Broadcast(x[3 * rowStride + i]);
                (d0, d1) = (TLanes.MultiplyAdd(w0, factor, d0), TLanes.MultiplyAdd(w1, factor, d1));
                weights += stride;
            }

            TLanes.Store(a0, sumsA + column);
            TLanes.Store(a1, sumsA + second);
            TLanes.Store(b0, sumsB + column);
            TLanes.Store(b1, sumsB + second);
            TLanes.Store(c0, sumsC + column);
            TLanes.Store(c1, sumsC + second);
            TLanes.Store(d0, sumsD + column);
            TLanes.Store(d1, sumsD + second);
        }

        if (column == columns)
            return;
        for (var row = 0; row < 4; row++)
            AddLastColumns(x + row * rowStride, panel, stride, sums + row * sumStride, column, columns);
    }

    private static void AddLastColumns(float* x, TWeight* panel, nint stride, float* sums, int column, int columns)
    {
        for (; column < columns; column++)
        {
            for (var i = 0; i < PanelHeight; i++)
                sums[column] = float.MultiplyAddEstimate(ToSingle(panel[i * stride + column]), x[i], sums[column]);
        }
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DotTwoByFour(float* x, nint rowStride, int inputs, TWeight* weights, nint stride, float* products, nint productStride)
    {
        var zero = TLanes.Broadcast(0);
        var (a0, a1, b0, b1, c0, c1, d0, d1) = (zero, zero, zero, zero, zero, zero, zero, zero); // rows of x by the first row of weights
        var (e0, e1, f0, f1, g0, g1, h0, h1) = (zero, zero, zero, zero, zero, zero, zero, zero); // and by the second one
        float* xB = x + rowStride, xC = x + 2 * rowStride, xD = x + 3 * rowStride;
        var weightsB = weights + stride;
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
        {
            Prefetch(weights + PrefetchedRows * stride + 2 * i);
            Prefetch(weights + PrefetchedRows * stride + 2 * i + PairCount);
            LoadPair(weights + i, out var w0, out var w1);
            LoadPair(weightsB + i, out var v0, out var v1);
            var (x0, x1) = (TLanes.Load(x + i), TLanes.Load(x + i + TLanes.Count));
            (a0, a1) = (TLanes.MultiplyAdd(w0, x0, a0), TLanes.MultiplyAdd(w1, x1, a1));
            (e0, e1) = (TLanes.MultiplyAdd(v0, x0, e0), TLanes.MultiplyAdd(v1, x1, e1));
            (x0, x1) = (TLanes.Load(xB + i), TLanes.Load(xB + i + TLanes.Count));
            (b0, b1) = (TLanes.MultiplyAdd(w0, x0, b0), TLanes.MultiplyAdd(w1, x1, b1));
            (f0, f1) = (TLanes.MultiplyAdd(v0, x0, f0), TLanes.MultiplyAdd(v1, x1, f1));
            (x0, x1) = (TLanes.Load(xC + i), TLanes.Load(xC + i + TLanes.Count));
            (c0, c1) = (TLanes.MultiplyAdd(w0, x0, c0), TLanes.MultiplyAdd(w1, x1, c1));
            (g0, g1) = (TLanes.MultiplyAdd(v0, x0, g0), TLanes.MultiplyAdd(v1, x1, g1));
            (x0, x1) = (TLanes.Load(xD + i), TLanes.Load(xD + i + TLanes.Count));
            (d0, d1) = (TLanes.MultiplyAdd(w0, x0, d0), TLanes.MultiplyAdd(w1, x1, d1));
            (h0, h1) = (TLanes.MultiplyAdd(v0, x0, h0), TLanes.MultiplyAdd(v1, x1, h1));
        }

        products[0] = SumDot(a0, a1, x, weights, i, inputs);
        products[1] = SumDot(e0, e1, x, weightsB, i, inputs);
        products += productStride;
        products[0] = SumDot(b0, b1, xB, weights, i, inputs);
        products[1] = SumDot(f0, f1, xB, weightsB, i, inputs);
        products += productStride;
        products[0] = SumDot(c0, c1, xC, weights, i, inputs);
        products[1] = SumDot(g0, g1, xC, weightsB, i, inputs);
        products += productStride;
        products[0] = SumDot(d0, d1, xD, weights, i, inputs);
        products[1] = SumDot(h0, h1, xD, weightsB, i, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* x, int inputs, TWeight* weights)
    {
        var (first, second) = (TLanes.Broadcast(0), TLanes.Broadcast(0));
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
            MultiplyAddPairs(weights + i, TLanes.Load(x + i), TLanes.Load(x + i + TLanes.Count), ref first, ref second);
        return SumDot(first, second, x, weights, i, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAddPairs(TWeight* weights, TVector x0, TVector x1, ref TVector first, ref TVector second)
    {
        LoadPair(weights, out var firstWeight, out var secondWeight);
        first = TLanes.MultiplyAdd(firstWeight, x0, first);
        second = TLanes.MultiplyAdd(secondWeight, x1, second);
    }

    /// <summary>The sum of all lanes, and the products from <paramref name="i"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumDot(TVector first, TVector second, float* x, TWeight* weights, int i, int inputs)
    {
        var sum = TLanes.Sum(TLanes.Add(first, second));
        for (; i < inputs; i++)
            sum = float.MultiplyAddEstimate(ToSingle(weights[i]), x[i], sum);
        return sum;
    }
}
