using System.Runtime.CompilerServices;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Products of several rows with panels, some inputs of a matrix [inputs, outputs]. The sums of all rows stay in registers while a panel
/// that waits in the second-level cache is read once, and the next one is on its way from memory.
/// </summary>
/// <remarks>
/// Terms are added in the order of <see cref="RowKernels{TLanes, TVector, TWeight}.AddProducts"/>, so that other rows change no bit.
/// </remarks>
/// <typeparam name="TLanes">The vectors that are used.</typeparam>
/// <typeparam name="TVector">Likewise.</typeparam>
/// <typeparam name="TWeight">The matrix's elements: float, Half, or ushort for bfloat16.</typeparam>
internal static unsafe class RowPanels<TLanes, TVector, TWeight>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TWeight : unmanaged
{
    private static int PairCount => 2 * TLanes.Count;

    /// <summary>sums[r, c] += sum of x[r, i] * panel[i, c] over i, where the sum begins at zero. The sums are in the order of
    /// <see cref="RowKernels{TLanes, TVector, TWeight}.Arrange"/>.</summary>
    /// <param name="x">A tile's inputs of the panel: [rows, height] in rows of the length <paramref name="rowStride"/>.</param>
    /// <param name="rowStride">The length of a row of x.</param>
    /// <param name="rows">The rows of the tile.</param>
    /// <param name="panel">[height, columns] in rows of the length <paramref name="stride"/>.</param>
    /// <param name="stride">The length of a row of the matrix.</param>
    /// <param name="height">The inputs.</param>
    /// <param name="ahead">What is read next; null for nothing.</param>
    /// <param name="sums">[rows, columns] in rows of the length <paramref name="sumStride"/>.</param>
    /// <param name="sumStride">The length of a row of sums.</param>
    /// <param name="columns">The outputs.</param>
    /// <param name="isFirst">Whether the sums are written instead of added to.</param>
    public static void Add(
        float* x, nint rowStride, int rows, TWeight* panel, nint stride, int height, TWeight* ahead, float* sums, nint sumStride,
        int columns, bool isFirst)
    {
        var column = columns / PairCount * PairCount;
        if (rows == 8)
            AddEightRows(x, rowStride, panel, stride, height, ahead, sums, sumStride, column, isFirst);
        else
            AddFourRows(x, rowStride, panel, stride, height, ahead, sums, sumStride, column, isFirst);
        for (; column < columns; column++)
        {
            for (var row = 0; row < rows; row++)
            {
                var sum = 0f;
                for (var i = 0; i < height; i++)
                    sum = float.MultiplyAddEstimate(
                        RowKernels<TLanes, TVector, TWeight>.ToSingle(panel[i * stride + column]), x[row * rowStride + i], sum);
                sums[row * sumStride + column] = isFirst ? sum : sums[row * sumStride + column] + sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddEightRows(
        float* x, nint rowStride, TWeight* panel, nint stride, int height, TWeight* ahead, float* sums, nint sumStride, int columns,
        bool isFirst)
    {
        var aheadEnd = ahead + columns;
        var thirdRow = 3 * rowStride;
        for (var column = 0; column < columns; column += PairCount)
        {
            var zero = TLanes.Broadcast(0);
            var (a0, a1, b0, b1, c0, c1, d0, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
            var (e0, e1, f0, f1, g0, g1, h0, h1) = (zero, zero, zero, zero, zero, zero, zero, zero);
            var weights = panel + column;
            var first = x;
            var second = x + 4 * rowStride;
            for (var end = x + height; first < end; first++)
            {
                Prefetch(ref ahead, ref aheadEnd, columns, stride);
                RowKernels<TLanes, TVector, TWeight>.LoadPair(weights, out var w0, out var w1);
                var factor = TLanes.Broadcast(first[0]);
                (a0, a1) = (TLanes.MultiplyAdd(w0, factor, a0), TLanes.MultiplyAdd(w1, factor, a1));
                factor = TLanes.Broadcast(first[rowStride]);
                (b0, b1) = (TLanes.MultiplyAdd(w0, factor, b0), TLanes.MultiplyAdd(w1, factor, b1));
                factor = TLanes.Broadcast(first[2 * rowStride]);
                (c0, c1) = (TLanes.MultiplyAdd(w0, factor, c0), TLanes.MultiplyAdd(w1, factor, c1));
                factor = TLanes.Broadcast(first[thirdRow]);
                (d0, d1) = (TLanes.MultiplyAdd(w0, factor, d0), TLanes.MultiplyAdd(w1, factor, d1));
                factor = TLanes.Broadcast(second[0]);
                (e0, e1) = (TLanes.MultiplyAdd(w0, factor, e0), TLanes.MultiplyAdd(w1, factor, e1));
                factor = TLanes.Broadcast(second[rowStride]);
                (f0, f1) = (TLanes.MultiplyAdd(w0, factor, f0), TLanes.MultiplyAdd(w1, factor, f1));
                factor = TLanes.Broadcast(second[2 * rowStride]);
                (g0, g1) = (TLanes.MultiplyAdd(w0, factor, g0), TLanes.MultiplyAdd(w1, factor, g1));
                factor = TLanes.Broadcast(second[thirdRow]);
                (h0, h1) = (TLanes.MultiplyAdd(w0, factor, h0), TLanes.MultiplyAdd(w1, factor, h1));
                second++;
                weights += stride;
            }

            var target = sums + column;
            AddPair(a0, a1, target, isFirst);
            AddPair(b0, b1, target += sumStride, isFirst);
            AddPair(c0, c1, target += sumStride, isFirst);
            AddPair(d0, d1, target += sumStride, isFirst);
            AddPair(e0, e1, target += sumStride, isFirst);
            AddPair(f0, f1, target += sumStride, isFirst);
            AddPair(g0, g1, target += sumStride, isFirst);
            AddPair(h0, h1, target + sumStride, isFirst);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFourRows(
        float* x, nint rowStride, TWeight* panel, nint stride, int height, TWeight* ahead, float* sums, nint sumStride, int columns,
        bool isFirst)
    {
        var aheadEnd = ahead + columns;
        var thirdRow = 3 * rowStride;
        for (var column = 0; column < columns; column += PairCount)
        {
            var zero = TLanes.Broadcast(0);
            var (a0, a1, b0, b1, c0, c1, d0, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
            var weights = panel + column;
            var first = x;
            for (var end = x + height; first < end; first++)
            {
                Prefetch(ref ahead, ref aheadEnd, columns, stride);
                RowKernels<TLanes, TVector, TWeight>.LoadPair(weights, out var w0, out var w1);
                var factor = TLanes.Broadcast(first[0]);
                (a0, a1) = (TLanes.MultiplyAdd(w0, factor, a0), TLanes.MultiplyAdd(w1, factor, a1));
                factor = TLanes.Broadcast(first[rowStride]);
                (b0, b1) = (TLanes.MultiplyAdd(w0, factor, b0), TLanes.MultiplyAdd(w1, factor, b1));
                factor = TLanes.Broadcast(first[2 * rowStride]);
                (c0, c1) = (TLanes.MultiplyAdd(w0, factor, c0), TLanes.MultiplyAdd(w1, factor, c1));
                factor = TLanes.Broadcast(first[thirdRow]);
                (d0, d1) = (TLanes.MultiplyAdd(w0, factor, d0), TLanes.MultiplyAdd(w1, factor, d1));
                weights += stride;
            }

            var target = sums + column;
            AddPair(a0, a1, target, isFirst);
            AddPair(b0, b1, target += sumStride, isFirst);
            AddPair(c0, c1, target += sumStride, isFirst);
            AddPair(d0, d1, target + sumStride, isFirst);
        }
    }

    /// <summary>Brings one pair of the next panel nearer and steps to the one after it: row by row, as memory likes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(ref TWeight* ahead, ref TWeight* aheadEnd, int columns, nint stride)
    {
        if (ahead == null)
            return;
        RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead);
        ahead += PairCount;
        if (ahead < aheadEnd)
            return;
        ahead += stride - columns;
        aheadEnd += stride;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPair(TVector first, TVector second, float* target, bool isFirst)
    {
        if (!isFirst)
            (first, second) = (TLanes.Add(TLanes.Load(target), first), TLanes.Add(TLanes.Load(target + TLanes.Count), second));
        TLanes.Store(first, target);
        TLanes.Store(second, target + TLanes.Count);
    }
}
