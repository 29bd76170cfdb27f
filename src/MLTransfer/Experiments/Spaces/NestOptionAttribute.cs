namespace MLTransfer.Experiments;

/// <summary>The property or field is a class with options of its own.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class NestOptionAttribute : Attribute;
