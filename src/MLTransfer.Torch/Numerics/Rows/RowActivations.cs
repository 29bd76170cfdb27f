using System.Runtime.CompilerServices;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Activation functions over vectors.</summary>
internal static class RowActivations
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TLanes, TVector>(RowActivation activation, TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        return activation switch
        {
            RowActivation.None => x,
            RowActivation.Relu => TLanes.Max(x, TLanes.Broadcast(0)),
            _ => TimesSigmoid<TLanes, TVector>(activation, x),
        };
    }

    /// <summary>x sigmoid(z). 0.5 (1 + tanh(u)) is sigmoid(2 u), which makes GELU one of these.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector TimesSigmoid<TLanes, TVector>(RowActivation activation, TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const float TwiceRootOfTwoByPi = 1.5957691216057308f;
        var one = TLanes.Broadcast(1);
        var negativeZ = activation switch
        {
            RowActivation.GeluTanh => TLanes.Multiply(
                TLanes.Multiply(x, TLanes.Broadcast(-TwiceRootOfTwoByPi)),
                TLanes.MultiplyAdd(TLanes.Multiply(x, x), TLanes.Broadcast(0.044715f), one)),
            RowActivation.QuickGelu => TLanes.Multiply(x, TLanes.Broadcast(-1.702f)),
            RowActivation.Silu => TLanes.Multiply(x, TLanes.Broadcast(-1)),
            _ => throw new ArgumentOutOfRangeException(nameof(activation)),
        };
        return TLanes.Divide(x, TLanes.Add(one, TLanes.Exp(negativeZ)));
    }
}
