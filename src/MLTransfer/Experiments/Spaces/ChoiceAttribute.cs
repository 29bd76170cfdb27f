namespace MLTransfer.Experiments;

/// <summary>The option is one of several values: of those given here, or of all values of an enumeration.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class ChoiceAttribute : Attribute
{
    /// <param name="candidates">The values; none for all of an enumeration.</param>
    public ChoiceAttribute(params object[] candidates) => Candidates = candidates;

    /// <param name="candidates">The values; none for all of an enumeration.</param>
    /// <param name="defaultValue">Where a search begins.</param>
    public ChoiceAttribute(object[] candidates, object defaultValue) => (Candidates, DefaultValue) = (candidates, defaultValue);

    /// <summary>The values; empty for all of an enumeration.</summary>
    public IReadOnlyList<object> Candidates { get; }

    /// <summary>Where a search begins where no default option says it; null for the first.</summary>
    public object? DefaultValue { get; }
}
