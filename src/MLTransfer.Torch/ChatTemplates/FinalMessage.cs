using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates;

/// <summary>
/// Finds where the last message ends in the rendering: a mark is put behind its content, and the text is cut where the mark comes out, as
/// transformers does.
/// </summary>
internal static class FinalMessage
{
    private const string Tag = "CONTINUE_FINAL_MESSAGE_TAG";

    public static ListValue Mark(ListValue messages)
    {
        if (messages.Items is not [.., DictionaryValue last] || !last.TryGet("content", out var content))
            throw new ChatTemplateException("there is no last message with a content to continue");
        return new([.. messages.Items.SkipLast(1), With(last, "content", Marked(content))]);
    }

    public static ChatRendering Cut(ChatRendering rendering)
    {
        var at = rendering.Text.LastIndexOf(Tag, StringComparison.Ordinal);
        if (at < 0)
            throw new ChatTemplateException("the last message cannot be continued: the template does not write its content");
        var text = rendering.Text[..at];
        // The template has trimmed the content: so must be what is left of it.
        if (string.CompareOrdinal(rendering.Text, at, Tag + " ", 0, Tag.Length + 1) != 0)
            text = text.TrimEnd(Blanks.All);
        var spans = rendering.GenerationSpans.Where(span => span.Start.Value < text.Length)
            .Select(span => span.Start..Math.Min(span.End.Value, text.Length));
        return rendering with { Text = text, GenerationSpans = [.. spans] };
    }

    private static object Marked(object? content)
    {
        if (content is string text)
            return $"{text}{Tag} ";
        if (content is ListValue parts)
        {
            for (var index = parts.Items.Count - 1; index >= 0; index--)
            {
                if (parts.Items[index] is DictionaryValue part && part.TryGet("text", out var value) && value is string partText)
                    return new ListValue(
                        [.. parts.Items.Take(index), With(part, "text", $"{partText}{Tag} "), .. parts.Items.Skip(index + 1)]);
            }
        }
        throw new ChatTemplateException("there is no text in the last message to continue");
    }

    private static DictionaryValue With(DictionaryValue message, string key, object value)
    {
        var copy = new DictionaryValue();
        foreach (var (name, content) in message.Items)
            copy.Set(name, content);
        copy.Set(key, value);
        return copy;
    }
}
