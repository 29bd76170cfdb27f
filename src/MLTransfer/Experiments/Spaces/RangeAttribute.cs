namespace MLTransfer.Experiments;

/// <summary>The option is a number of a range; it has the type of its property or field.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class RangeAttribute : Attribute
{
    /// <param name="min">The smallest value.</param>
    /// <param name="max">The largest value.</param>
    /// <param name="logBase">Whether equal factors are equally likely, as a learning rate wants it.</param>
    public RangeAttribute(double min, double max, bool logBase = false) => (Min, Max, LogBase) = (min, max, logBase);

    /// <param name="min">The smallest value.</param>
    /// <param name="max">The largest value.</param>
    /// <param name="init">Where a search begins.</param>
    /// <param name="logBase">Whether equal factors are equally likely, as a learning rate wants it.</param>
    public RangeAttribute(double min, double max, double init, bool logBase = false)
        : this(min, max, logBase) => Init = init;

    /// <inheritdoc cref="RangeAttribute(double, double, bool)"/>
    public RangeAttribute(int min, int max, bool logBase = false)
        : this((double)min, max, logBase)
    {
    }

    /// <inheritdoc cref="RangeAttribute(double, double, double, bool)"/>
    public RangeAttribute(int min, int max, int init, bool logBase = false)
        : this(min, (double)max, init, logBase)
    {
    }

    /// <inheritdoc cref="RangeAttribute(double, double, bool)"/>
    public RangeAttribute(float min, float max, bool logBase = false)
        : this((double)min, max, logBase)
    {
    }

    /// <inheritdoc cref="RangeAttribute(double, double, double, bool)"/>
    public RangeAttribute(float min, float max, float init, bool logBase = false)
        : this(min, (double)max, init, logBase)
    {
    }

    /// <summary>The smallest value.</summary>
    public double Min { get; }

    /// <summary>The largest value.</summary>
    public double Max { get; }

    /// <summary>Where a search begins where no default option says it; null for the middle.</summary>
    public double? Init { get; }

    /// <summary>Whether equal factors are equally likely.</summary>
    public bool LogBase { get; }

    /// <summary>The distance between values, from <see cref="Min"/> on; 0 for any value, and 1 for whole numbers.</summary>
    public double StepSize { get; set; }
}
