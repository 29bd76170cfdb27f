using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Activation functions over vectors: all but <see cref="Activation.Softmax"/>, which is none of single values.</summary>
internal static unsafe class RowActivations
{
    /// <summary>What <see cref="Activation.LeakyRelu"/> multiplies negative values with.</summary>
    public const double LeakySlope = 0.01;

    /// <summary>output = activation(gate) * value, element by element: a gated feed-forward layer (arXiv 2002.05202).</summary>
    /// <param name="gates">[rows, slices, width].</param>
    /// <param name="values">The same shape.</param>
    /// <param name="activation">Applied to the gates.</param>
    /// <param name="output">The same shape; may be the gates or the values.</param>
    public static void Gate(RowSlices gates, RowSlices values, Activation activation, RowSlices output)
    {
        if (Vector512.IsHardwareAccelerated)
            Gate<Lanes512, Vector512<float>>(gates, values, activation, output);
        else if (Vector256.IsHardwareAccelerated)
            Gate<Lanes256, Vector256<float>>(gates, values, activation, output);
        else
            Gate<Lanes128, Vector128<float>>(gates, values, activation, output);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal static void Gate<TLanes, TVector>(RowSlices gates, RowSlices values, Activation activation, RowSlices output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        values.CheckShape(gates);
        output.CheckShape(gates);
        for (var row = 0; row < gates.Rows; row++)
        {
            for (var slice = 0; slice < gates.Slices; slice++)
            {
                fixed (float* gate = gates[row, slice], value = values[row, slice], target = output[row, slice])
                    Gate<TLanes, TVector>(gate, value, activation, target, gates.Width);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TLanes, TVector>(Activation activation, TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        return activation switch
        {
            Activation.None => x,
            Activation.Relu => TLanes.Max(x, TLanes.Broadcast(0)),
            _ => ApplySmooth<TLanes, TVector>(activation, x),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gate<TLanes, TVector>(float* gate, float* value, Activation activation, float* target, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Multiply(Apply<TLanes, TVector>(activation, TLanes.Load(gate + i)), TLanes.Load(value + i)), target + i);
        for (; i < count; i++)
            target[i] = Apply<ScalarLanes, float>(activation, gate[i]) * value[i];
    }

    private static TVector ApplySmooth<TLanes, TVector>(Activation activation, TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        return activation switch
        {
            Activation.Gelu => Gelu<TLanes, TVector>(x),
            Activation.Tanh => Tanh<TLanes, TVector>(x),
            Activation.SquaredRelu => SquaredRelu<TLanes, TVector>(x),
            Activation.LeakyRelu => TLanes.Max(x, TLanes.Multiply(x, TLanes.Broadcast((float)LeakySlope))),
            _ => WithSigmoid<TLanes, TVector>(activation, x),
        };
    }

    // Each a method of its own, compiled at its best at once: vectors of others take no registers here.

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector Gelu<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        LaneFunctions.TimesNormalProbability<TLanes, TVector>(x);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector Tanh<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        LaneFunctions.Tanh<TLanes, TVector>(x);

    private static TVector SquaredRelu<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        x = TLanes.Max(x, TLanes.Broadcast(0));
        return TLanes.Multiply(x, x);
    }

    /// <summary>x sigmoid(z), or sigmoid(x). 0.5 (1 + tanh(u)) is sigmoid(2 u), which makes the tanh form of GELU one of these.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector WithSigmoid<TLanes, TVector>(Activation activation, TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const float TwiceRootOfTwoByPi = 1.5957691216057308f;
        var one = TLanes.Broadcast(1);
        var negativeZ = activation switch
        {
            Activation.GeluTanh => TLanes.Multiply(
                TLanes.Multiply(x, TLanes.Broadcast(-TwiceRootOfTwoByPi)),
                TLanes.MultiplyAdd(TLanes.Multiply(x, x), TLanes.Broadcast(0.044715f), one)),
            Activation.QuickGelu => TLanes.Multiply(x, TLanes.Broadcast(-1.702f)),
            Activation.Silu or Activation.Sigmoid => TLanes.Multiply(x, TLanes.Broadcast(-1)),
            _ => throw new ArgumentOutOfRangeException(nameof(activation)),
        };
        return TLanes.Divide(activation == Activation.Sigmoid ? one : x, TLanes.Add(one, TLanes.Exp(negativeZ)));
    }
}
