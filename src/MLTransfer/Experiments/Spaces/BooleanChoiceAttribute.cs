namespace MLTransfer.Experiments;

/// <summary>The option is true or false.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class BooleanChoiceAttribute : Attribute
{
    /// <summary>Begins with true where no default option says it.</summary>
    public BooleanChoiceAttribute()
    {
    }

    /// <param name="defaultValue">Where a search begins.</param>
    public BooleanChoiceAttribute(bool defaultValue) => DefaultValue = defaultValue;

    /// <summary>Where a search begins where no default option says it; null for true.</summary>
    public bool? DefaultValue { get; }
}
