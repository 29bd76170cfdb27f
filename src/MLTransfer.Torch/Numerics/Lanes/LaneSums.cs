using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Sums over the lanes of vectors, one vector after the other.</summary>
internal static unsafe class LaneSums
{
    /// <summary>
    /// The sum of each of eight vectors, to neighbours: <see cref="ILanes{TVector}.SumEight"/> where lanes have nothing faster.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumEight<TLanes, TVector>(
        TVector a, TVector b, TVector c, TVector d, TVector e, TVector f, TVector g, TVector h, float* sums)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        sums[0] = TLanes.Sum(a);
        sums[1] = TLanes.Sum(b);
        sums[2] = TLanes.Sum(c);
        sums[3] = TLanes.Sum(d);
        sums[4] = TLanes.Sum(e);
        sums[5] = TLanes.Sum(f);
        sums[6] = TLanes.Sum(g);
        sums[7] = TLanes.Sum(h);
    }
}
