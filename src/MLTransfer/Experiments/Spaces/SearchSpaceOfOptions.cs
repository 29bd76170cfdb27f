using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>
/// The options of a class, read from the attributes of its properties and fields: <see cref="RangeAttribute"/>,
/// <see cref="ChoiceAttribute"/>, <see cref="BooleanChoiceAttribute"/>, <see cref="NestOptionAttribute"/> and <see cref="WhenAttribute"/>.
/// Properties come before fields, each in the order in which they are declared.
/// </summary>
/// <typeparam name="T">The class.</typeparam>
public sealed class SearchSpace<T> : SearchSpace
    where T : class, new()
{
    private readonly T _defaultOption;

    /// <summary>With the defaults that the attributes say, else the middles of ranges and the first choices.</summary>
    /// <exception cref="ArgumentException">A member's attribute does not fit its type; the message names it.</exception>
    public SearchSpace()
        : base(AttributedOptions.Of(typeof(T), null)) => _defaultOption = new T();

    /// <summary>With the values of an object as defaults, which members without attributes keep.</summary>
    /// <exception cref="ArgumentException">
    /// A member's attribute does not fit its type, or the object's value is outside of it; the message names it.
    /// </exception>
    public SearchSpace(T defaultOption)
        : base(AttributedOptions.Of(typeof(T), defaultOption ?? throw new ArgumentNullException(nameof(defaultOption)))) =>
        _defaultOption = defaultOption;

    /// <summary>An object with the values that numbers from 0 to 1 stand for.</summary>
    /// <param name="values"><see cref="OptionBase.FeatureSpaceDim"/> numbers.</param>
    public new T SampleFromFeatureSpace(double[] values) => ToOption(base.SampleFromFeatureSpace(values));

    /// <summary>An object with values that a tuner chose, and those of the default option for what it did not choose.</summary>
    /// <param name="parameter">The values by name.</param>
    /// <exception cref="InvalidCastException">A value is not of its member's type, or there is no such member.</exception>
    public T ToOption(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return (T)ParameterBinding.Bind(parameter, ParameterBinding.Copy(_defaultOption));
    }
}
