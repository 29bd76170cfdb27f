using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Products of rows in 16-bit fixed point (<see cref="FixedPointRows"/>) with tiles of an <see cref="Int8Matrix"/>. Each lane of a vector
/// sums up one output, in integers and therefore exactly: neither the vectors' width nor threads nor other rows change a bit.
/// </summary>
internal static unsafe class Int8Kernels
{
    /// <summary>How far ahead of the tile's bytes in use memory is asked for. Tiles follow each other without gaps.</summary>
    private const int PrefetchedBytes = 4096;

    /// <summary>sums[r, o] += scale[r] * sum of value[r, i] * weight[o, i] over one group of inputs, for all outputs of a tile.</summary>
    /// <param name="rows">8, 4, 2 or 1: how many rows' values lie interleaved.</param>
    /// <param name="weights">The group's part of the tile: [steps, outputs, 2].</param>
    /// <param name="values">[steps, rows] pairs.</param>
    /// <param name="steps">Pairs of inputs.</param>
    /// <param name="scales">[rows].</param>
    /// <param name="sums">[rows, outputs of a tile].</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts<TPairs, TVector>(int rows, sbyte* weights, int* values, int steps, float* scales, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        for (var output = 0; output < Int8Matrix.TileOutputs; output += 2 * TPairs.Count)
        {
            if (rows == 8)
                AddEightRows<TPairs, TVector>(weights + 2 * output, values, steps, scales, sums + output);
            else if (rows == 4)
                AddFourRows<TPairs, TVector>(weights + 2 * output, values, steps, scales, sums + output);
            else if (rows == 2)
                AddTwoRows<TPairs, TVector>(weights + 2 * output, values, steps, scales, sums + output);
            else
                AddOneRow<TPairs, TVector>(weights + 2 * output, values, steps, scales, sums + output);
        }
    }

    /// <summary>See <see cref="IPairLanes{TVector}.Finish"/>. The sums are overwritten.</summary>
    public static void Finish<TLanes, TVector>(
        float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var output = 0; output < Int8Matrix.TileOutputs; output += TLanes.Count)
            TLanes.Store(TLanes.Multiply(TLanes.Load(sums + output), TLanes.Load(scales + output)), sums + output);
        RowKernels<TLanes, TVector, float>.Finish(sums, bias, activation, accumulate, target, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(sbyte* weights)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(weights + PrefetchedBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOneRow<TPairs, TVector>(sbyte* weights, int* values, int steps, float* scales, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        var (a0, a1) = (TPairs.Broadcast(0), TPairs.Broadcast(0));
        for (var end = values + steps; values < end; values++)
        {
            Prefetch(weights);
            var x = TPairs.Broadcast(*values);
            a0 = TPairs.AddProducts(TPairs.Widen(weights), x, a0);
            a1 = TPairs.AddProducts(TPairs.Widen(weights + 2 * TPairs.Count), x, a1);
            weights += 2 * Int8Matrix.TileOutputs;
        }

        AddScaled<TPairs, TVector>(a0, a1, scales[0], sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTwoRows<TPairs, TVector>(sbyte* weights, int* values, int steps, float* scales, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        var zero = TPairs.Broadcast(0);
        var (a0, a1, b0, b1) = (zero, zero, zero, zero);
        for (var end = values + 2 * steps; values < end; values += 2)
        {
            Prefetch(weights);
            var (w0, w1) = (TPairs.Widen(weights), TPairs.Widen(weights + 2 * TPairs.Count));
            var x = TPairs.Broadcast(values[0]);
            (a0, a1) = (TPairs.AddProducts(w0, x, a0), TPairs.AddProducts(w1, x, a1));
            x = TPairs.Broadcast(values[1]);
            (b0, b1) = (TPairs.AddProducts(w0, x, b0), TPairs.AddProducts(w1, x, b1));
            weights += 2 * Int8Matrix.TileOutputs;
        }

        AddScaled<TPairs, TVector>(a0, a1, scales[0], sums);
        AddScaled<TPairs, TVector>(b0, b1, scales[1], sums + Int8Matrix.TileOutputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFourRows<TPairs, TVector>(sbyte* weights, int* values, int steps, float* scales, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        var zero = TPairs.Broadcast(0);
        var (a0, a1, b0, b1, c0, c1, d0, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
        for (var end = values + 4 * steps; values < end; values += 4)
        {
            Prefetch(weights);
            var (w0, w1) = (TPairs.Widen(weights), TPairs.Widen(weights + 2 * TPairs.Count));
            var x = TPairs.Broadcast(values[0]);
            (a0, a1) = (TPairs.AddProducts(w0, x, a0), TPairs.AddProducts(w1, x, a1));
            x = TPairs.Broadcast(values[1]);
            (b0, b1) = (TPairs.AddProducts(w0, x, b0), TPairs.AddProducts(w1, x, b1));
            x = TPairs.Broadcast(values[2]);
            (c0, c1) = (TPairs.AddProducts(w0, x, c0), TPairs.AddProducts(w1, x, c1));
            x = TPairs.Broadcast(values[3]);
            (d0, d1) = (TPairs.AddProducts(w0, x, d0), TPairs.AddProducts(w1, x, d1));
            weights += 2 * Int8Matrix.TileOutputs;
        }

        AddScaled<TPairs, TVector>(a0, a1, scales[0], sums);
        AddScaled<TPairs, TVector>(b0, b1, scales[1], sums + Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(c0, c1, scales[2], sums + 2 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(d0, d1, scales[3], sums + 3 * Int8Matrix.TileOutputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddEightRows<TPairs, TVector>(sbyte* weights, int* values, int steps, float* scales, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        var zero = TPairs.Broadcast(0);
        var (a0, a1, b0, b1, c0, c1, d0, d1) = (zero, zero, zero, zero, zero, zero, zero, zero);
        var (e0, e1, f0, f1, g0, g1, h0, h1) = (zero, zero, zero, zero, zero, zero, zero, zero);
        for (var end = values + 8 * steps; values < end; values += 8)
        {
            Prefetch(weights);
            var (w0, w1) = (TPairs.Widen(weights), TPairs.Widen(weights + 2 * TPairs.Count));
            var x = TPairs.Broadcast(values[0]);
            (a0, a1) = (TPairs.AddProducts(w0, x, a0), TPairs.AddProducts(w1, x, a1));
            x = TPairs.Broadcast(values[1]);
            (b0, b1) = (TPairs.AddProducts(w0, x, b0), TPairs.AddProducts(w1, x, b1));
            x = TPairs.Broadcast(values[2]);
            (c0, c1) = (TPairs.AddProducts(w0, x, c0), TPairs.AddProducts(w1, x, c1));
            x = TPairs.Broadcast(values[3]);
            (d0, d1) = (TPairs.AddProducts(w0, x, d0), TPairs.AddProducts(w1, x, d1));
            x = TPairs.Broadcast(values[4]);
            (e0, e1) = (TPairs.AddProducts(w0, x, e0), TPairs.AddProducts(w1, x, e1));
            x = TPairs.Broadcast(values[5]);
            (f0, f1) = (TPairs.AddProducts(w0, x, f0), TPairs.AddProducts(w1, x, f1));
            x = TPairs.Broadcast(values[6]);
            (g0, g1) = (TPairs.AddProducts(w0, x, g0), TPairs.AddProducts(w1, x, g1));
            x = TPairs.Broadcast(values[7]);
            (h0, h1) = (TPairs.AddProducts(w0, x, h0), TPairs.AddProducts(w1, x, h1));
            weights += 2 * Int8Matrix.TileOutputs;
        }

        AddScaled<TPairs, TVector>(a0, a1, scales[0], sums);
        AddScaled<TPairs, TVector>(b0, b1, scales[1], sums + Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(c0, c1, scales[2], sums + 2 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(d0, d1, scales[3], sums + 3 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(e0, e1, scales[4], sums + 4 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(f0, f1, scales[5], sums + 5 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(g0, g1, scales[6], sums + 6 * Int8Matrix.TileOutputs);
        AddScaled<TPairs, TVector>(h0, h1, scales[7], sums + 7 * Int8Matrix.TileOutputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled<TPairs, TVector>(TVector first, TVector second, float scale, float* sums)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        TPairs.AddScaled(first, scale, sums);
        TPairs.AddScaled(second, scale, sums + TPairs.Count);
    }
}
