namespace MLTransfer.Experiments.Tuners;

/// <summary>The standard normal distribution, to the last digits of a double.</summary>
internal static class NormalDistribution
{
    private const double SqrtHalf = 0.70710678118654752440;
    private const double InverseSqrtPi = 0.56418958354775628695;

    // Rational approximations of Cody 1969, "Rational Chebyshev approximations for the error function".
    private static ReadOnlySpan<double> A =>
        [1.85777706184603153e-1, 3.16112374387056560, 113.864154151050156, 377.485237685302021, 3209.37758913846947];

    private static ReadOnlySpan<double> B => [1, 23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062];

    private static ReadOnlySpan<double> C =>
    [
        2.15311535474403846e-8, 0.564188496988670089, 8.88314979438837594, 66.1191906371416295, 298.635138197400131, 881.95222124176909,
        1712.04761263407058, 2051.07837782607147, 1230.33935479799725,
    ];

    private static ReadOnlySpan<double> D =>
    [
        1, 15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019, 3290.79923573345963, 4362.61909014324716,
        3439.36767414372164, 1230.33935480374942,
    ];

    private static ReadOnlySpan<double> P =>
    [
        1.63153871373020978e-2, 0.305326634961232344, 0.360344899949804439, 0.125781726111229246, 1.60837851487422766e-2,
        6.58749161529837803e-4,
    ];

    private static ReadOnlySpan<double> Q =>
        [1, 2.56852019228982242, 1.87295284992346725, 0.527905102951428412, 6.05183413124413191e-2, 2.33520497626869185e-3];

    /// <summary>The probability of more than <paramref name="x"/>.</summary>
    public static double Upper(double x) => 0.5 * ComplementaryError(x * SqrtHalf);

    /// <summary>The probability of a number between two, accurate in the tails.</summary>
    public static double Between(double low, double high) => low >= 0 ? Upper(low) - Upper(high)
        : high <= 0 ? Upper(-high) - Upper(-low)
        : 1 - Upper(-low) - Upper(high);

    /// <summary>The number below which a draw is with a probability.</summary>
    /// <param name="lower">The probability, above 0.</param>
    /// <param name="upper">One minus it, which tells more where it is small.</param>
    public static double Quantile(double lower, double upper)
    {
        var tail = Math.Min(lower, upper);
        if (tail <= 0)
            return lower <= 0 ? double.NegativeInfinity : double.PositiveInfinity;
        var x = TailStart(tail); // below 0; two steps of Halley's method give all digits
        for (var step = 0; step < 2; step++)
        {
            var error = (Upper(-x) - tail) * Math.Sqrt(2 * Math.PI) * Math.Exp(x * x / 2);
            x -= error / (1 + x * error / 2);
        }

        return lower <= upper ? x : -x;
    }

    /// <summary>Abramowitz and Stegun 26.2.23, within 4.5e-4.</summary>
    private static double TailStart(double tail)
    {
        var t = Math.Sqrt(-2 * Math.Log(tail));
        return -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    }

    private static double ComplementaryError(double x)
    {
        var y = Math.Abs(x);
        if (y <= 0.46875)
            return 1 - x * Ratio(A, B, y * y);
        if (y > 27)
            return x > 0 ? 0 : 2;
        double scaled;
        if (y <= 4)
        {
            scaled = Ratio(C, D, y);
        }
        else
        {
            var inverse = 1 / (y * y);
            scaled = (InverseSqrtPi - inverse * Ratio(P, Q, inverse)) / y;
        }

        // exp(-y^2) of a rounded y and the rest, so that no digits are lost
        var rounded = Math.Truncate(y * 16) / 16;
        var value = Math.Exp(-rounded * rounded) * Math.Exp(-(y - rounded) * (y + rounded)) * scaled;
        return x > 0 ? value : 2 - value;
    }

    /// <summary>Two polynomials, their highest powers first.</summary>
    private static double Ratio(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double x)
    {
        double above = 0, below = 0;
        foreach (var coefficient in numerator)
            above = above * x + coefficient;
        foreach (var coefficient in denominator)
            below = below * x + coefficient;
        return above / below;
    }
}
