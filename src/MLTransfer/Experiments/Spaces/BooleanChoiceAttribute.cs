namespace MLTransfer.Experiments;

/// <summary>The option is true or false.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class BooleanChoiceAttribute : Attribute
{
    /// <summary>Begins with the value of the default option, else with true.</summary>
    public BooleanChoiceAttribute()
    {
    }

    /// <param name="defaultValue">Where a search begins.</param>
    public BooleanChoiceAttribute(bool defaultValue) => DefaultValue = defaultValue;

    /// <summary>Where a search begins; null for the value of the default option, else true.</summary>
    public bool? DefaultValue { get; }
}
