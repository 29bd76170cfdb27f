namespace MLTransfer.Torch.ChatTemplates;

/// <summary>Messages as the text that a model reads.</summary>
/// <param name="Text">The text. Markers of special tokens stand in it.</param>
/// <param name="GenerationSpans">
/// Where, in UTF-16 units, the words between <c>{% generation %}</c> and <c>{% endgeneration %}</c> stand: what the assistant says. Empty
/// for a template without these marks.
/// </param>
/// <param name="LostGenerationLine">
/// The line of a <c>{% generation %}</c> whose words the template has changed before it wrote them, or has not written, so that their place
/// is not known; null where there is none.
/// </param>
public sealed record ChatRendering(string Text, IReadOnlyList<Range> GenerationSpans, int? LostGenerationLine = null);
