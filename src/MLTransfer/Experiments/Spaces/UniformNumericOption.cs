using System.Globalization;
using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>A number of a range.</summary>
public abstract class UniformNumericOption : LeafOption
{
    private protected UniformNumericOption(double min, double max, bool logBase, double? defaultValue, double step)
    {
        if (!double.IsFinite(min) || !double.IsFinite(max) || min > max)
            throw new ArgumentOutOfRangeException(nameof(max), max, Text($"The range is from {min} to {max}; expected a smaller min."));
        if (logBase && (min <= 0 || step > 0 && min - step / 2 <= 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(min), min, Text($"A logarithmic range begins above 0; this one begins at {min}."));
        }

        if (step < 0 || !double.IsFinite(step) || step > 0 && step > max - min && max > min)
            throw new ArgumentOutOfRangeException(nameof(step), step, Text($"The step {step} does not fit the range {min} to {max}."));
        if (defaultValue is { } value && !(value >= min && value <= max))
        {
            throw new ArgumentOutOfRangeException(
                nameof(defaultValue), value, Text($"The default {value} is outside of the range {min} to {max}."));
        }

        (Min, Max, LogBase) = (min, max, logBase);
        Domain = Domain.Range(min, max, step, logBase);
        DefaultValue = defaultValue is { } given ? Domain.Nearest(given) : Domain.FromUnit(0.5);
    }

    /// <summary>The smallest value.</summary>
    public double Min { get; }

    /// <summary>The largest value.</summary>
    public double Max { get; }

    /// <summary>Whether equal factors are equally likely, as a learning rate wants it.</summary>
    public bool LogBase { get; }

    internal sealed override Domain Domain { get; }

    internal sealed override double DefaultValue { get; }

    internal sealed override double FromParameter(Parameter parameter)
    {
        var value = parameter.AsType<double>();
        return value >= Min && value <= Max ? Domain.Nearest(value)
            : throw new ArgumentException(Text($"{value} is outside of the range {Min} to {Max}."), nameof(parameter));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
