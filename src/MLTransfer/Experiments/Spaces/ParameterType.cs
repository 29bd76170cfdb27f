namespace MLTransfer.Experiments;

/// <summary>What a <see cref="Parameter"/> holds.</summary>
public enum ParameterType
{
    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Bool,

    /// <summary>A text, or the name of an enumeration's value.</summary>
    String,

    /// <summary>Parameters by name.</summary>
    Object,

    /// <summary>Parameters in a row.</summary>
    Array,
}
