namespace MLTransfer.Experiments;

/// <summary>That another option of the same space has one of some values.</summary>
public sealed class OptionCondition
{
    internal OptionCondition(string option, object[] values)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(option);
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length == 0)
            throw new ArgumentException($"The condition on '{option}' names no value: it would never hold.", nameof(values));
        (Option, Values) = (option, [.. values.Select(Parameter.FromObject)]);
    }

    /// <summary>The name of the other option.</summary>
    public string Option { get; }

    /// <summary>The values of which it has one.</summary>
    public IReadOnlyList<Parameter> Values { get; }
}
