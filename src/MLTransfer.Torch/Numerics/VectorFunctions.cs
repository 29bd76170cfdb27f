using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.Numerics;

/// <summary>Functions of vectors for training's passes over memory, to two units in the last place.</summary>
internal static class VectorFunctions
{
    /// <summary>e to the power of x, which is taken as within -87 and 88.</summary>
    /// <remarks>2^n e^r with n the nearest whole number to x / ln 2, and e^r as a polynomial where |r| is at most ln 2 / 2.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        x = Vector.Max(Vector.Min(x, new Vector<float>(88)), new Vector<float>(-87));
        var n = Vector.Floor(Vector.MultiplyAddEstimate(x, new Vector<float>(1.44269504f), new Vector<float>(0.5f)));
        // ln 2 in two parts, the first with few digits, so that n times it is exact
        var r = Vector.MultiplyAddEstimate(n, new Vector<float>(-0.693359375f), x);
        r = Vector.MultiplyAddEstimate(n, new Vector<float>(2.12194440e-4f), r);
        var series = Vector.MultiplyAddEstimate(r, new Vector<float>(1.9875691500e-4f), new Vector<float>(1.3981999507e-3f));
        series = Vector.MultiplyAddEstimate(r, series, new Vector<float>(8.3334519073e-3f));
        series = Vector.MultiplyAddEstimate(r, series, new Vector<float>(4.1665795894e-2f));
        series = Vector.MultiplyAddEstimate(r, series, new Vector<float>(1.6666665459e-1f));
        series = Vector.MultiplyAddEstimate(r, series, new Vector<float>(0.5f));
        series = Vector.MultiplyAddEstimate(r * r, series, r + Vector<float>.One);
        var exponent = Vector.ConvertToInt32(n) + new Vector<int>(127);
        return series * Vector.AsVectorSingle(exponent << 23);
    }
}
