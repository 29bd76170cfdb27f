using System.Runtime.CompilerServices;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Products of a few rows with a matrix [outputs, inputs].</summary>
/// <remarks>Each element is one chain of sums, so that neither other rows nor other outputs change a bit.</remarks>
/// <typeparam name="TLanes">The vectors that are used.</typeparam>
/// <typeparam name="TVector">Likewise.</typeparam>
/// <typeparam name="TWeight">The matrix's elements: float, Half, or ushort for bfloat16.</typeparam>
internal static unsafe class RowDots<TLanes, TVector, TWeight>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TWeight : unmanaged
{
    /// <summary>How many rows of a matrix lie between what is multiplied and what is prefetched.</summary>
    private const int PrefetchedRows = 8;

    /// <summary>Up to here the end of a sum, over the lanes of its vector, takes longer than the sum.</summary>
    private const int ShortRow = 256;

    private static int PairCount => 2 * TLanes.Count;

    /// <summary>products[r, o] = sum of x[r, i] * matrix[o, i] over i.</summary>
    /// <param name="x">[rows, inputs] in the order of <see cref="RowKernels{TLanes, TVector, TWeight}.Arrange"/>.</param>
    /// <param name="rows">What <see cref="RowTiles.PaddedForDots"/> gives.</param>
    /// <param name="inputs">The length of a row.</param>
    /// <param name="matrix">[outputs, inputs].</param>
    /// <param name="products">[rows, outputs] in rows of the length <paramref name="productStride"/>.</param>
    /// <param name="productStride">The length of a row of products.</param>
    /// <param name="outputs">The outputs.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compute(float* x, int rows, int inputs, TWeight* matrix, float* products, nint productStride, int outputs)
    {
        var output = 0;
        for (; output <= outputs - 4 && rows == 2; output += 4)
            TwoRowsByFour(x, inputs, matrix + (nint)output * inputs, products + output, productStride);
        for (; output <= outputs - 2 && rows > 2; output += 2)
        {
            var weights = matrix + (nint)output * inputs;
            for (int row = 0, height; row < rows; row += height)
            {
                height = RowTiles.Height<TLanes, TVector>(rows - row);
                var target = products + row * productStride + output;
                if (height == 8)
                    EightRowsByTwo(x + row * inputs, inputs, weights, target, productStride);
                else
                    FourRowsByTwo(x + row * inputs, inputs, weights, target, productStride);
            }
        }

        for (; output <= outputs - 8 && rows == 1 && inputs <= ShortRow; output += 8)
            OneRowByEight(x, inputs, matrix + (nint)output * inputs, products + output);
        for (; output < outputs; output++)
        {
            for (var row = 0; row < rows; row++)
                products[row * productStride + output] = Dot(x + row * inputs, inputs, matrix + (nint)output * inputs);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRowsByTwo(float* x, int inputs, TWeight* weights, float* products, nint productStride)
    {
        var zero = TLanes.Broadcast(0);
        var (a0, b0, c0, d0, e0, f0, g0, h0) = (zero, zero, zero, zero, zero, zero, zero, zero); // rows of x by the first row of weights
        var (a1, b1, c1, d1, e1, f1, g1, h1) = (zero, zero, zero, zero, zero, zero, zero, zero); // and by the second one
        var weightsB = weights + inputs;
        var ahead = weights + PrefetchedRows * inputs;
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
        {
            RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead + 2 * i);
            RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead + 2 * i + PairCount);
            RowKernels<TLanes, TVector, TWeight>.LoadPair(weights + i, out var w0, out var w1);
            RowKernels<TLanes, TVector, TWeight>.LoadPair(weightsB + i, out var v0, out var v1);
            var values = x + i;
            MultiplyAdd(values, w0, w1, v0, v1, ref a0, ref a1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref b0, ref b1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref c0, ref c1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref d0, ref d1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref e0, ref e1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref f0, ref f1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref g0, ref g1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref h0, ref h1);
        }

        var sums = stackalloc float[16];
        TLanes.SumEight(a0, b0, c0, d0, e0, f0, g0, h0, sums);
        TLanes.SumEight(a1, b1, c1, d1, e1, f1, g1, h1, sums + 8);
        for (var row = 0; row < 8; row++)
        {
            products[0] = AddLast(sums[row], x, weights, i, inputs);
            products[1] = AddLast(sums[row + 8], x, weightsB, i, inputs);
            products += productStride;
            x += inputs;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRowsByTwo(float* x, int inputs, TWeight* weights, float* products, nint productStride)
    {
        var zero = TLanes.Broadcast(0);
        // rows of x by the first row of weights, then by the second one
        var (a0, b0, c0, d0, a1, b1, c1, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
        var weightsB = weights + inputs;
        var ahead = weights + PrefetchedRows * inputs;
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
        {
            RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead + 2 * i);
            RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead + 2 * i + PairCount);
            RowKernels<TLanes, TVector, TWeight>.LoadPair(weights + i, out var w0, out var w1);
            RowKernels<TLanes, TVector, TWeight>.LoadPair(weightsB + i, out var v0, out var v1);
            var values = x + i;
            MultiplyAdd(values, w0, w1, v0, v1, ref a0, ref a1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref b0, ref b1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref c0, ref c1);
            values += inputs;
            MultiplyAdd(values, w0, w1, v0, v1, ref d0, ref d1);
        }

        var sums = stackalloc float[8];
        TLanes.SumEight(a0, b0, c0, d0, a1, b1, c1, d1, sums);
        for (var row = 0; row < 4; row++)
        {
            products[0] = AddLast(sums[row], x, weights, i, inputs);
            products[1] = AddLast(sums[row + 4], x, weightsB, i, inputs);
            products += productStride;
            x += inputs;
        }
    }

    /// <summary>Two rows of x by four rows of weights.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRowsByFour(float* x, int inputs, TWeight* weights, float* products, nint productStride)
    {
        var zero = TLanes.Broadcast(0);
        // the first row of x by each row of weights, then the second one
        var (a0, b0, c0, d0, a1, b1, c1, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
        var ahead = weights + PrefetchedRows * inputs;
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
        {
            for (var part = 0; part < 4; part++)
                RowKernels<TLanes, TVector, TWeight>.Prefetch(ahead + 4 * i + part * PairCount);
            var (x0, x1) = (TLanes.Load(x + i), TLanes.Load(x + i + TLanes.Count));
            var (y0, y1) = (TLanes.Load(x + inputs + i), TLanes.Load(x + inputs + i + TLanes.Count));
            var row = weights + i;
            MultiplyAdd(row, x0, x1, y0, y1, ref a0, ref a1);
            MultiplyAdd(row += inputs, x0, x1, y0, y1, ref b0, ref b1);
            MultiplyAdd(row += inputs, x0, x1, y0, y1, ref c0, ref c1);
            MultiplyAdd(row + inputs, x0, x1, y0, y1, ref d0, ref d1);
        }

        var sums = stackalloc float[8];
        TLanes.SumEight(a0, b0, c0, d0, a1, b1, c1, d1, sums);
        for (var output = 0; output < 4; output++)
        {
            products[output] = AddLast(sums[output], x, weights, i, inputs);
            products[productStride + output] = AddLast(sums[output + 4], x + inputs, weights, i, inputs);
            weights += inputs;
        }
    }

    /// <summary>One row of x by eight rows of weights.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowByEight(float* x, int inputs, TWeight* weights, float* products)
    {
        var zero = TLanes.Broadcast(0);
        var (a, b, c, d, e, f, g, h) = (zero, zero, zero, zero, zero, zero, zero, zero);
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
        {
            var (x0, x1) = (TLanes.Load(x + i), TLanes.Load(x + i + TLanes.Count));
            var row = weights + i;
            a = MultiplyAdd(row, x0, x1, a);
            b = MultiplyAdd(row += inputs, x0, x1, b);
            c = MultiplyAdd(row += inputs, x0, x1, c);
            d = MultiplyAdd(row += inputs, x0, x1, d);
            e = MultiplyAdd(row += inputs, x0, x1, e);
            f = MultiplyAdd(row += inputs, x0, x1, f);
            g = MultiplyAdd(row += inputs, x0, x1, g);
            h = MultiplyAdd(row + inputs, x0, x1, h);
        }

        TLanes.SumEight(a, b, c, d, e, f, g, h, products);
        for (var output = 0; output < 8 && i < inputs; output++)
            products[output] = AddLast(products[output], x, weights + output * inputs, i, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* x, int inputs, TWeight* weights)
    {
        var sums = TLanes.Broadcast(0);
        var i = 0;
        for (; i <= inputs - PairCount; i += PairCount)
            sums = MultiplyAdd(weights + i, TLanes.Load(x + i), TLanes.Load(x + i + TLanes.Count), sums);
        return AddLast(TLanes.Sum(sums), x, weights, i, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector MultiplyAdd(TWeight* weights, TVector x0, TVector x1, TVector sums)
    {
        RowKernels<TLanes, TVector, TWeight>.LoadPair(weights, out var first, out var second);
        return TLanes.MultiplyAdd(second, x1, TLanes.MultiplyAdd(first, x0, sums));
    }

    /// <summary>One pair of a row of weights by the pairs of two rows, x and y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(TWeight* weights, TVector x0, TVector x1, TVector y0, TVector y1, ref TVector x, ref TVector y)
    {
        RowKernels<TLanes, TVector, TWeight>.LoadPair(weights, out var w0, out var w1);
        x = TLanes.MultiplyAdd(w1, x1, TLanes.MultiplyAdd(w0, x0, x));
        y = TLanes.MultiplyAdd(w1, y1, TLanes.MultiplyAdd(w0, y0, y));
    }

    /// <summary>One pair of a row by the pairs of two rows of weights, w and v.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(float* x, TVector w0, TVector w1, TVector v0, TVector v1, ref TVector w, ref TVector v)
    {
        var (x0, x1) = (TLanes.Load(x), TLanes.Load(x + TLanes.Count));
        w = TLanes.MultiplyAdd(w1, x1, TLanes.MultiplyAdd(w0, x0, w));
        v = TLanes.MultiplyAdd(v1, x1, TLanes.MultiplyAdd(v0, x0, v));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float AddLast(float sum, float* x, TWeight* weights, int i, int inputs)
    {
        for (; i < inputs; i++)
            sum = float.MultiplyAddEstimate(RowKernels<TLanes, TVector, TWeight>.ToSingle(weights[i]), x[i], sum);
        return sum;
    }
}
