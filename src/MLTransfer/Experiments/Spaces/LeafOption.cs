using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>An option that is one value.</summary>
public abstract class LeafOption : OptionBase
{
    private protected LeafOption()
    {
    }

    /// <inheritdoc/>
    public sealed override int FeatureSpaceDim => 1;

    /// <inheritdoc/>
    public sealed override double[] Default => [Domain.ToUnit(DefaultValue)];

    /// <inheritdoc/>
    public sealed override int?[] Step => [Domain.Count];

    /// <summary>Its values as numbers.</summary>
    internal abstract Domain Domain { get; }

    /// <summary>The default as a value of <see cref="Domain"/>.</summary>
    internal abstract double DefaultValue { get; }

    /// <inheritdoc/>
    public sealed override Parameter SampleFromFeatureSpace(double[] values)
    {
        CheckLength(values, 1);
        return ToParameter(Domain.FromUnit(values[0]));
    }

    /// <inheritdoc/>
    public sealed override double[] MappingToFeatureSpace(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return [Domain.ToUnit(FromParameter(parameter))];
    }

    /// <summary>A value of <see cref="Domain"/> as the option's.</summary>
    internal abstract Parameter ToParameter(double value);

    /// <summary>The option's value as one of <see cref="Domain"/>.</summary>
    internal abstract double FromParameter(Parameter parameter);
}
