namespace MLTransfer.Experiments;

/// <summary>What a search chooses: a number, one of several values, or a space of further options.</summary>
/// <remarks>
/// A feature space is the cube of numbers from 0 to 1 that an option's values lie in, a number for each value that is chosen.
/// </remarks>
public abstract class OptionBase
{
    private readonly List<OptionCondition> _conditions = [];

    private protected OptionBase()
    {
    }

    /// <summary>When the option means anything; empty for always. All of them must hold.</summary>
    public IReadOnlyList<OptionCondition> Conditions => _conditions;

    /// <summary>The numbers that stand for a value of the option.</summary>
    public abstract int FeatureSpaceDim { get; }

    /// <summary>The default in the feature space.</summary>
    public abstract double[] Default { get; }

    /// <summary>The different values of each number of the feature space; null where there is no end of them.</summary>
    public abstract int?[] Step { get; }

    /// <summary>The value that numbers from 0 to 1 stand for.</summary>
    /// <param name="values"><see cref="FeatureSpaceDim"/> numbers.</param>
    public abstract Parameter SampleFromFeatureSpace(double[] values);

    /// <summary>The numbers that stand for a value.</summary>
    /// <param name="parameter">One of the option.</param>
    /// <exception cref="ArgumentException">The option has no such value.</exception>
    public abstract double[] MappingToFeatureSpace(Parameter parameter);

    /// <summary>
    /// Says that the option means something only where another one of the same space has one of some values. Where it has none of them,
    /// the option is not chosen, and its <see cref="Parameter"/> is left out.
    /// </summary>
    /// <param name="option">The name of the other one, a <see cref="ChoiceOption"/>.</param>
    /// <param name="values">One or several of its choices.</param>
    /// <returns>This option.</returns>
    public OptionBase When(string option, params object[] values)
    {
        _conditions.Add(new OptionCondition(option, values));
        return this;
    }

    private protected static void CheckLength(double[] values, int length)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != length)
            throw new ArgumentException($"There are {values.Length} values; the option has {length}.", nameof(values));
    }
}
