using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Functions of vectors beyond those that every kind of lanes has itself, to a few units in the last place.</summary>
internal static class LaneFunctions
{
    /// <summary>The hyperbolic tangent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const float Small = 0.625f; // up to here 1 - 2 / (exp(2 x) + 1) has lost digits

        // (tanh(x) / x - 1) / x^2 as a polynomial of x^2, to 4.4e-8 by Chebyshev's nodes.
        var square = TLanes.Multiply(x, x);
        var series = TLanes.MultiplyAdd(square, TLanes.Broadcast(-0.00609671416f), TLanes.Broadcast(0.02099717899f));
        series = TLanes.MultiplyAdd(square, series, TLanes.Broadcast(-0.05385090958f));
        series = TLanes.MultiplyAdd(square, series, TLanes.Broadcast(0.1333276974f));
        series = TLanes.MultiplyAdd(square, series, TLanes.Broadcast(-0.3333332894f));
        var small = TLanes.MultiplyAdd(TLanes.Multiply(square, x), series, x);

        var magnitude = Magnitude<TLanes, TVector>(x);
        var power = TLanes.Exp(TLanes.Add(magnitude, magnitude));
        var fraction = TLanes.Divide(TLanes.Broadcast(-2), TLanes.Add(power, TLanes.Broadcast(1)));
        var large = TLanes.Add(fraction, TLanes.Broadcast(1));
        large = TLanes.SelectLess(x, TLanes.Broadcast(0), Negate<TLanes, TVector>(large), large);
        return TLanes.SelectLess(magnitude, TLanes.Broadcast(Small), small, large);
    }

    /// <summary>The exponential linear unit: x above 0, else exp(x) - 1 (arXiv 1511.07289).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Elu<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const float Least = -87; // beyond, exp(x) - 1 is -1 in float32
        const float Rounding = 12582912; // 1.5 * 2^23: what is added to it is rounded to a whole number

        // exp(x) = 2^n exp(r), r from -ln(2) / 2 to ln(2) / 2; exp(r) - 1 by its series, so that small results keep their digits.
        var negative = Negate<TLanes, TVector>(TLanes.Max(Negate<TLanes, TVector>(x), TLanes.Broadcast(0))); // min(x, 0)
        negative = TLanes.Max(negative, TLanes.Broadcast(Least));
        var n = TLanes.MultiplyAdd(negative, TLanes.Broadcast(1.44269504f), TLanes.Broadcast(Rounding));
        n = TLanes.Add(n, TLanes.Broadcast(-Rounding));
        var r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-0.693359375f), negative); // ln(2) in two parts, the first of few digits
        r = TLanes.MultiplyAdd(n, TLanes.Broadcast(2.12194440e-4f), r);
        var series = TLanes.MultiplyAdd(r, TLanes.Broadcast(1f / 5040), TLanes.Broadcast(1f / 720));
        series = TLanes.MultiplyAdd(r, series, TLanes.Broadcast(1f / 120));
        series = TLanes.MultiplyAdd(r, series, TLanes.Broadcast(1f / 24));
        series = TLanes.MultiplyAdd(r, series, TLanes.Broadcast(1f / 6));
        series = TLanes.MultiplyAdd(r, series, TLanes.Broadcast(0.5f));
        series = TLanes.MultiplyAdd(TLanes.Multiply(r, r), series, r);
        var power = TLanes.PowerOfTwo(n);
        var below = TLanes.MultiplyAdd(power, series, TLanes.Add(power, TLanes.Broadcast(-1)));
        return TLanes.SelectLess(x, TLanes.Broadcast(0), below, x);
    }

    /// <summary>x times the probability that a standard normal variable is less, x (1 + erf(x / sqrt(2))) / 2.</summary>
    /// <remarks>As max(x, 0) - |x| Q(|x|): what is added does not cancel, so that small results of negative x keep their digits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector TimesNormalProbability<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const float Largest = 15; // beyond, Q is 0 in float32
        var half = TLanes.Broadcast(0.5f);
        var negative = TLanes.Max(Negate<TLanes, TVector>(Magnitude<TLanes, TVector>(x)), TLanes.Broadcast(-Largest)); // -|x|

        // Q(a) exp(a^2 / 2), the upper tail without its decay, is t times a polynomial of t = 1 / (1 + 0.3 a), to 4.4e-9 by Chebyshev.
        var one = TLanes.Broadcast(1);
        var t = TLanes.Divide(one, TLanes.MultiplyAdd(negative, TLanes.Broadcast(-0.3f), one));
        var series = TLanes.MultiplyAdd(t, TLanes.Broadcast(-0.02091435973f), TLanes.Broadcast(0.1140402721f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(-0.2320384829f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.196940677f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(-0.08374254902f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.09848074018f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.07758906438f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.1104051798f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.1195517632f));
        series = TLanes.MultiplyAdd(t, series, TLanes.Broadcast(0.1196876931f));

        var negativeSquare = Negate<TLanes, TVector>(TLanes.Multiply(negative, negative));
        var error = RoundingOfSquare<TLanes, TVector>(negative, negativeSquare); // the exponential would enlarge it
        var decay = TLanes.Exp(TLanes.Multiply(negativeSquare, half));
        decay = TLanes.MultiplyAdd(TLanes.Multiply(decay, error), Negate<TLanes, TVector>(half), decay);

        var tail = TLanes.Multiply(TLanes.Multiply(t, series), decay);
        return TLanes.MultiplyAdd(negative, tail, TLanes.Max(x, TLanes.Broadcast(0)));
    }

    /// <summary>x x less what it is rounded to, which is exact.</summary>
    /// <param name="x">Of a size whose square is in float32's range.</param>
    /// <param name="negativeSquare">-(x x), rounded.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector RoundingOfSquare<TLanes, TVector>(TVector x, TVector negativeSquare)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (ProcessorFeatures.HasFusedMultiplyAdd)
            return TLanes.MultiplyAdd(x, x, negativeSquare);

        // Without products that are added in one step x is cut into halves whose products are exact (Dekker 1971).
        var scaled = TLanes.Multiply(x, TLanes.Broadcast(4097)); // 2^12 + 1
        var upper = TLanes.Add(scaled, Negate<TLanes, TVector>(TLanes.Add(scaled, Negate<TLanes, TVector>(x))));
        var lower = TLanes.Add(x, Negate<TLanes, TVector>(upper));
        var error = TLanes.Add(TLanes.Multiply(upper, upper), negativeSquare);
        error = TLanes.Add(error, TLanes.Multiply(TLanes.Add(upper, upper), lower));
        return TLanes.Add(error, TLanes.Multiply(lower, lower));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Negate<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        TLanes.Multiply(x, TLanes.Broadcast(-1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Magnitude<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        TLanes.Max(x, Negate<TLanes, TVector>(x));
}
