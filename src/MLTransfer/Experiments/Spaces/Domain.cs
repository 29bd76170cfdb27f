namespace MLTransfer.Experiments.Spaces;

/// <summary>The values of an option as numbers: those of a range, or the numbers of choices from 0 on.</summary>
internal sealed class Domain
{
    private Domain(double low, double high, double step, bool isLogarithmic, int choices)
    {
        (Low, Step, IsLogarithmic, Choices) = (low, step, isLogarithmic, choices);
        High = step > 0 ? low + Math.Floor((high - low) / step * (1 + 1e-12)) * step : high;
        KernelLow = Scaled(Low - step / 2);
        KernelHigh = Scaled(High + step / 2);
    }

    public double Low { get; }

    /// <summary>The largest value: with steps the last of them.</summary>
    public double High { get; }

    /// <summary>The distance between values; 0 for a continuous range.</summary>
    public double Step { get; }

    /// <summary>Whether equal factors are equal distances.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>The number of choices; 0 for a range.</summary>
    public int Choices { get; }

    public bool IsCategorical => Choices > 0;

    /// <summary>The scaled range that densities are on: half a step wider at both ends.</summary>
    public double KernelLow { get; }

    /// <inheritdoc cref="KernelLow"/>
    public double KernelHigh { get; }

    /// <summary>How many values there are; null where there is no end of them.</summary>
    public int? Count => IsCategorical ? Choices : Step > 0 && (High - Low) / Step < int.MaxValue - 1
        ? (int)Math.Round((High - Low) / Step) + 1 : null;

    /// <summary>Whether there is but one value.</summary>
    public bool IsSingle => IsCategorical ? Choices == 1 : Low == High;

    public static Domain Range(double low, double high, double step, bool isLogarithmic) => new(low, high, step, isLogarithmic, 0);

    public static Domain Categorical(int choices) => new(0, choices - 1, 1, isLogarithmic: false, choices);

    /// <summary>A value in the scale in which distances count: its logarithm, or itself.</summary>
    public double Scaled(double value) => IsLogarithmic ? Math.Log(value) : value;

    /// <summary>The value that is nearest to a scaled number.</summary>
    public double FromScaled(double scaled) => Nearest(IsLogarithmic ? Math.Exp(scaled) : scaled);

    /// <summary>The nearest value.</summary>
    public double Nearest(double value) =>
        Math.Clamp(Step > 0 ? Low + Math.Round((value - Low) / Step) * Step : value, Low, High);

    /// <summary>The value at a share of the scaled range: evenly drawn shares are evenly drawn values.</summary>
    public double FromUnit(double unit) => FromScaled(KernelLow + Math.Clamp(unit, 0, 1) * (KernelHigh - KernelLow));

    public double ToUnit(double value) =>
        IsSingle ? 0.5 : Math.Clamp((Scaled(value) - KernelLow) / (KernelHigh - KernelLow), 0, 1);
}
