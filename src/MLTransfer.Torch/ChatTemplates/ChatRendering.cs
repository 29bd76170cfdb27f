namespace MLTransfer.Torch.ChatTemplates;

/// <summary>Messages as the text that a model reads.</summary>
/// <param name="Text">The text. Markers of special tokens stand in it.</param>
/// <param name="GenerationSpans">
/// Where, in UTF-16 units, the words between <c>{% generation %}</c> and <c>{% endgeneration %}</c> stand: what the assistant says. Empty
/// for
/// a template without these marks.
/// </param>
public sealed record ChatRendering(string Text, IReadOnlyList<Range> GenerationSpans);
