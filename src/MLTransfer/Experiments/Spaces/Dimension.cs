namespace MLTransfer.Experiments.Spaces;

/// <summary>An option that is one value, wherever in a space it is.</summary>
/// <param name="Path">The names that lead to it.</param>
/// <param name="Option">The option.</param>
/// <param name="Conditions">When it means anything; all must hold. What they name is before it or after it in the space.</param>
internal sealed record Dimension(
    IReadOnlyList<string> Path, LeafOption Option, IReadOnlyList<(int Parent, bool[] IsAllowed)> Conditions)
{
    public Domain Domain { get; } = Option.Domain;

    /// <summary>As messages, tables and plots call it.</summary>
    public string Name => string.Join('.', Path);
}
