namespace MLTransfer.Cards;

/// <summary>A line of a table of a model card.</summary>
internal sealed record CardEntry(string Name, string Value);
