using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>One of several values.</summary>
public sealed class ChoiceOption : LeafOption
{
    private readonly Parameter[] _choices;

    /// <param name="choices">Numbers, texts, truth values or values of an enumeration; the first is the default.</param>
    public ChoiceOption(params object[] choices)
        : this(choices, null)
    {
    }

    /// <param name="choices">Numbers, texts, truth values or values of an enumeration.</param>
    /// <param name="defaultChoice">The default, one of them; null for the first.</param>
    /// <exception cref="ArgumentException">There is no choice, a choice is given twice, or the default is none.</exception>
    public ChoiceOption(object[] choices, object? defaultChoice)
    {
        ArgumentNullException.ThrowIfNull(choices);
        _choices = [.. choices.Select(Parameter.FromObject)];
        if (_choices.Length == 0)
            throw new ArgumentException("There is nothing to choose from.", nameof(choices));
        if (_choices.GroupBy(choice => choice).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"The choice {twice.Key} is given twice.", nameof(choices));
        Domain = Domain.Categorical(_choices.Length);
        DefaultValue = defaultChoice is null ? 0 : FromParameter(Parameter.FromObject(defaultChoice));
    }

    /// <summary>What is chosen from.</summary>
    public IReadOnlyList<object> Choices => _choices;

    internal override Domain Domain { get; }

    internal override double DefaultValue { get; }

    internal override Parameter ToParameter(double value) => _choices[(int)value];

    internal override double FromParameter(Parameter parameter)
    {
        var index = Array.IndexOf(_choices, parameter);
        return index >= 0 ? index : throw new ArgumentException(
            $"{parameter} is none of the choices {string.Join(", ", (object[])_choices)}.", nameof(parameter));
    }
}
