using System.Collections.Concurrent;
using System.Text.Json;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Chats;

/// <summary>How chats become a model's tokens: the chat templates and special tokens that stand beside a checkpoint. Thread-safe.</summary>
/// <remarks>
/// Templates are found in all forms that transformers stores them in: <c>chat_template.jinja</c> with
/// <c>additional_chat_templates/*.jinja</c>, a text or a list of named texts in <c>tokenizer_config.json</c>, and
/// <c>chat_template.json</c>. They are the tokenizer's: <see cref="TextTokenizer.Save"/> writes them again.
/// </remarks>
public sealed class ChatFormat
{
    private const string ForTools = "tool_use";

    private readonly TextTokenizer _tokenizer;
    private readonly Dictionary<string, string> _templates;
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ChatTemplate> _parsed = new(StringComparer.Ordinal);

    private ChatFormat(TextTokenizer tokenizer, Dictionary<string, string> templates)
    {
        (_tokenizer, _templates) = (tokenizer, templates);
        foreach (var (name, token) in tokenizer.NamedSpecialTokens)
            _variables[name] = JsonSerializer.Serialize(token);
        if (tokenizer.AdditionalSpecialTokens.Count > 0)
            _variables["additional_special_tokens"] = JsonSerializer.Serialize(tokenizer.AdditionalSpecialTokens);
    }

    /// <summary>The names of the templates; a single one is <c>default</c>.</summary>
    public IReadOnlyCollection<string> TemplateNames => _templates.Keys;

    /// <summary>Loads the chat format of a folder in Hugging Face layout.</summary>
    /// <param name="folder">Has the tokenizer's files and a chat template.</param>
    /// <exception cref="FileNotFoundException">There is no tokenizer, or no chat template.</exception>
    /// <exception cref="InvalidDataException">A file is malformed.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has something that is not known; it is named.</exception>
    public static ChatFormat Load(string folder) => Find(TextTokenizer.Load(folder)) ?? throw new FileNotFoundException(
        $"The folder '{folder}' has no chat template: expected {TokenizerFiles.ChatTemplate}, or chat_template in "
        + $"{TokenizerFiles.Configuration}.");

    /// <summary>The chat format of a tokenizer; null where it has no chat template.</summary>
    /// <exception cref="InvalidDataException">A file with a chat template is malformed.</exception>
    public static ChatFormat? Find(TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return ChatTemplateStore.Read(tokenizer.Files) is { Count: > 0 } templates ? new ChatFormat(tokenizer, templates) : null;
    }

    /// <summary>The chat format of a tokenizer, for one of its templates or for one that it does not have.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="template">As in <see cref="Render"/>.</param>
    /// <param name="model">What messages call the model.</param>
    /// <exception cref="ArgumentException">It has no chat template and none is given, or the template is not valid.</exception>
    internal static ChatFormat Of(TextTokenizer tokenizer, string? template, string model)
    {
        var format = new ChatFormat(tokenizer, ChatTemplateStore.Read(tokenizer.Files));
        if (format._templates.Count == 0 && template is null)
        {
            throw new ArgumentException(
                $"The tokenizer of {model} has no chat template ({TokenizerFiles.ChatTemplate}, or chat_template in "
                + $"{TokenizerFiles.Configuration}): take a model that was trained on chats, or give a template of your own.");
        }

        try
        {
            format.Choose(hasTools: false, template);
        }
        catch (ChatTemplateException exception)
        {
            throw new ArgumentException($"{exception.Message} (chat template of {model})", exception);
        }

        return format;
    }

    /// <summary>Renders a chat. Special tokens are variables of their names, which <see cref="ChatInput.Variables"/> go before.</summary>
    /// <param name="input">The chat.</param>
    /// <param name="template">
    /// The name of a template, or a template's own text; null for <c>tool_use</c> where there is one and tools are given, else
    /// <c>default</c>.
    /// </param>
    /// <exception cref="ArgumentException">There are several templates, none of them is <c>default</c>, and none was chosen.</exception>
    /// <exception cref="ChatTemplateException">The template is not valid, refuses the messages, or fails with them.</exception>
    /// <exception cref="InvalidDataException">A value is not valid JSON.</exception>
    public ChatRendering Render(ChatInput input, string? template = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Choose(input.Tools is not null, template).Render(WithSpecialTokens(input));
    }

    /// <summary>Renders a chat as token ids. Nothing is put around the text: the template has written all special tokens.</summary>
    /// <inheritdoc cref="Render"/>
    public int[] Encode(ChatInput input, string? template = null) =>
        _tokenizer.Encode(Render(input, template).Text, addSpecialTokens: false);

    /// <summary>Renders a chat as token ids, and finds which of them are the assistant's.</summary>
    /// <remarks>
    /// The turn of the assistant's message k is what the rendering of messages 0 to k has beyond that of messages 0 to k - 1 with a
    /// generation prompt, where the one begins with the other and the whole chat begins with it.
    /// </remarks>
    /// <inheritdoc cref="Render"/>
    public EncodedChat EncodeWithTurns(ChatInput input, string? template = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        var chat = new RenderedChat(Choose(input.Tools is not null, template), WithSpecialTokens(input));
        var encoding = _tokenizer.EncodeText(chat.Rendering.Text, null, new EncodingOptions { AddSpecialTokens = false, Pads = false });
        return new(chat.Rendering, encoding, chat.Turns, chat.LastMarks);
    }

    /// <summary>
    /// What the template writes behind an assistant's words: generation stops there. It is found by rendering a question with an answer.
    /// </summary>
    /// <param name="template">As in <see cref="Render"/>.</param>
    /// <param name="variables">The template's switches, as <see cref="ChatInput.Variables"/>; null for none.</param>
    /// <returns>What ends a turn; nothing where the template writes nothing but white space there, or refuses such a chat.</returns>
    public EndOfTurn FindEndOfTurn(string? template = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        const string Answer = "Answer42";
        string text;
        try
        {
            text = Render(new ChatInput
            {
                Messages = $$"""[{"role": "user", "content": "Question"}, {"role": "assistant", "content": "{{Answer}}"}]""",
                Variables = variables ?? new Dictionary<string, string>(),
            }, template).Text;
        }
        catch (ChatTemplateException)
        {
            return new(null, null);
        }

        var end = text.LastIndexOf(Answer, StringComparison.Ordinal) + Answer.Length;
        if (end < Answer.Length)
            return new(null, null);
        var encoding = _tokenizer.EncodeText(text, null, new EncodingOptions { AddSpecialTokens = false, Pads = false });
        for (var i = 0; i < encoding.Ids.Count; i++)
        {
            if (encoding.Offsets[i].End > end && _tokenizer.AddedTokenIds.Contains(encoding.Ids[i]))
                return new(encoding.Ids[i], null);
        }

        var behind = text[end..].TrimEnd();
        return new(null, behind.Length > 0 ? behind : null);
    }

    /// <summary>What the template writes around the calls of functions. It is found by rendering one.</summary>
    /// <param name="template">As in <see cref="Render"/>.</param>
    /// <param name="variables">The template's switches, as <see cref="ChatInput.Variables"/>; null for none.</param>
    /// <returns>Null where the template refuses a call, or writes none as JSON with the function's name in it.</returns>
    public CallMarkers? FindCallMarkers(string? template = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var end = FindEndOfTurn(template, variables);
        return CallMarkers.Find(
            input => Render(input, template).Text, variables ?? new Dictionary<string, string>(),
            end.TokenId is { } id ? _tokenizer.Decode([id]) : end.Text, _tokenizer);
    }

    /// <summary>
    /// Whether the template writes the text of a content that is a list of parts, as <c>[{"type": "text", "text": "..."}]</c>. Many take
    /// texts alone.
    /// </summary>
    /// <param name="template">As in <see cref="Render"/>.</param>
    public bool TakesParts(string? template = null)
    {
        const string Question = "Question42";
        try
        {
            var text = Render(new ChatInput
            {
                Messages = $$"""[{"role": "user", "content": [{"type": "text", "text": "{{Question}}"}]}]""",
                AddGenerationPrompt = true,
            }, template).Text;
            var start = text.IndexOf(Question, StringComparison.Ordinal);
            return start >= 0 && !text[..start].Contains("text", StringComparison.Ordinal); // the list itself is not printed
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }

    private ChatInput WithSpecialTokens(ChatInput input)
    {
        var variables = new Dictionary<string, string>(_variables, StringComparer.Ordinal);
        foreach (var (name, json) in input.Variables)
            variables[name] = json;
        return input with { Variables = variables };
    }

    private ChatTemplate Choose(bool hasTools, string? template)
    {
        var text = template is not null ? _templates.GetValueOrDefault(template, template)
            : hasTools && _templates.TryGetValue(ForTools, out var forTools) ? forTools
            : _templates.GetValueOrDefault(ChatTemplateStore.Default) ?? throw new ArgumentException(
                $"The model has the chat templates {string.Join(", ", _templates.Keys.Select(name => $"'{name}'"))} and none of them is "
                + $"'{ChatTemplateStore.Default}': choose one.", nameof(template));
        return _parsed.GetOrAdd(text, ChatTemplate.Parse);
    }
}
