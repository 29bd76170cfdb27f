namespace MLTransfer.Experiments;

/// <summary>
/// The option means something only where another one of the same class has one of some values; else it is not chosen and keeps the value
/// of the default option.
/// </summary>
/// <param name="option">The other one, which has a <see cref="ChoiceAttribute"/> or a <see cref="BooleanChoiceAttribute"/>.</param>
/// <param name="values">One or several of its choices.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = true)]
public sealed class WhenAttribute(string option, params object[] values) : Attribute
{
    /// <summary>The other one's name.</summary>
    public string Option => option;

    /// <summary>The choices of which it has one.</summary>
    public IReadOnlyList<object> Values => values;
}
