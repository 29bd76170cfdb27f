using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.Chats;

/// <summary>A chat's text with the assistant's turns in it, which are found by rendering its beginnings.</summary>
internal sealed class RenderedChat
{
    private const string Role = "role";
    private const string Assistant = "assistant";

    private readonly ChatTemplate _template;
    private readonly ChatInput _input;
    private readonly ListValue _messages;

    public RenderedChat(ChatTemplate template, ChatInput input)
    {
        (_template, _input, _messages) = (template, input, ChatTemplate.ReadMessages(input));
        Rendering = template.Render(_messages, input);
        int[] assistant = [.. Enumerable.Range(0, _messages.Items.Count).Where(IsAssistant)];
        Turns = [.. assistant.Select(Find)];
        LastMarks = assistant.Length > 0 ? MarksFrom(assistant[^1]) : [];
    }

    public ChatRendering Rendering { get; }

    public IReadOnlyList<AssistantTurn> Turns { get; }

    /// <summary>The marks of the last assistant's turn: those that the rendering without it has not.</summary>
    public IReadOnlyList<Range> LastMarks { get; }

    private bool IsAssistant(int message) =>
        _messages.Items[message] is DictionaryValue value && value.TryGet(Role, out var role) && role is Assistant;

    private AssistantTurn Find(int message)
    {
        if (TryRender(message, addGenerationPrompt: true) is not { } before)
            return new(message, null, "the messages before it cannot be rendered");
        var isContinued = _input.ContinueFinalMessage && message == _messages.Items.Count - 1;
        var text = isContinued ? Rendering.Text : TryRender(message + 1, addGenerationPrompt: false)?.Text;
        if (text is null)
            return new(message, null, "the messages up to it cannot be rendered");
        if (!text.StartsWith(before.Text, StringComparison.Ordinal))
            return new(message, null, "the prompt is not a prefix of the rendering with the turn");
        return Rendering.Text.StartsWith(text, StringComparison.Ordinal)
            ? new(message, before.Text.Length..text.Length, null)
            : new(message, null, "the rendering up to the turn is not a prefix of the whole rendering");
    }

    private IReadOnlyList<Range> MarksFrom(int message)
    {
        if (Rendering.GenerationSpans.Count == 0 || TryRender(message, addGenerationPrompt: false) is not { } before)
            return [];
        return [.. Rendering.GenerationSpans.Skip(before.GenerationSpans.Count)];
    }

    private ChatRendering? TryRender(int count, bool addGenerationPrompt)
    {
        try
        {
            return _template.Render(
                new ListValue([.. _messages.Items.Take(count)]),
                _input with { AddGenerationPrompt = addGenerationPrompt, ContinueFinalMessage = false });
        }
        catch (ChatTemplateException)
        {
            return null;
        }
    }
}
