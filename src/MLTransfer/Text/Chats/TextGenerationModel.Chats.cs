using MLTransfer.Text;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Generation;

namespace MLTransfer;

/// <content>Chats, by the chat template that stands beside the model.</content>
public sealed partial class TextGenerationModel
{
    private static readonly GenerationOptions s_usual = new();

    /// <inheritdoc/>
    string ITextResponder.ModelName => ((ITextModel)this).Name;

    /// <inheritdoc/>
    GenerationOptions ITextResponder.Generation => s_usual;

    /// <inheritdoc/>
    ChatForm? ITextResponder.Form => null;

    /// <inheritdoc/>
    ChatGenerator ITextResponder.Chats => Chats;

    /// <summary>Writes the assistant's words in chats.</summary>
    internal ChatGenerator Chats => _chats.Value;

    /// <summary>What the assistant says next, or, where the last message is the assistant's, how it goes on.</summary>
    /// <remarks>
    /// Generation ends with the tokens that end a text (<c>eos_token_id</c> of <c>generation_config.json</c> and <c>config.json</c>) and
    /// with what the chat template writes behind an assistant's message; <see cref="GenerationOptions.EndOfSequenceIds"/> goes before.
    /// </remarks>
    /// <param name="chat">The messages so far.</param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="template">How the chat is rendered; null for defaults.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    /// <returns>The new words, without what was given.</returns>
    /// <exception cref="ArgumentException">An option is not valid, or the model has no chat template.</exception>
    /// <exception cref="InvalidDataException">The chat is malformed, or its template refuses it or fails with it.</exception>
    public string GenerateChat(
        IReadOnlyList<ChatTurn> chat, GenerationOptions? options = null, ChatTemplateOptions? template = null,
        CancellationToken cancellationToken = default) =>
        GenerateChat(ChatMessages.ToJson(chat), options, template, cancellationToken);

    /// <param name="chat">
    /// A JSON array of messages in OpenAI's format, or an object with <c>messages</c> and <c>tools</c>.
    /// </param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="template">How the chat is rendered; null for defaults.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    /// <inheritdoc cref="GenerateChat(IReadOnlyList{ChatTurn}, GenerationOptions?, ChatTemplateOptions?, CancellationToken)"/>
    public string GenerateChat(
        string chat, GenerationOptions? options = null, ChatTemplateOptions? template = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        return Chats.Generate(
            [chat], FormOf(template), options ?? new GenerationOptions(), (_, exception) => exception, cancellationToken)[0][0].Text;
    }

    /// <summary>Gives piece by piece what <see cref="GenerateChat(IReadOnlyList{ChatTurn}, GenerationOptions?, ChatTemplateOptions?,
    /// CancellationToken)"/> gives.</summary>
    /// <exception cref="ArgumentException">As there, or the options ask for beams or for several sequences.</exception>
    /// <inheritdoc cref="GenerateChat(IReadOnlyList{ChatTurn}, GenerationOptions?, ChatTemplateOptions?, CancellationToken)"/>
    public IAsyncEnumerable<string> StreamChatAsync(
        IReadOnlyList<ChatTurn> chat, GenerationOptions? options = null, ChatTemplateOptions? template = null,
        CancellationToken cancellationToken = default) =>
        StreamChatAsync(ChatMessages.ToJson(chat), options, template, cancellationToken);

    /// <inheritdoc cref="StreamChatAsync(IReadOnlyList{ChatTurn}, GenerationOptions?, ChatTemplateOptions?, CancellationToken)"/>
    /// <inheritdoc cref="GenerateChat(string, GenerationOptions?, ChatTemplateOptions?, CancellationToken)" path="/param"/>
    public IAsyncEnumerable<string> StreamChatAsync(
        string chat, GenerationOptions? options = null, ChatTemplateOptions? template = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        return Chats.StreamAsync(chat, FormOf(template), options ?? new GenerationOptions(), cancellationToken);
    }

    /// <summary>
    /// The model with the template of a form, where that is a text of its own and none of the model's: it is saved along then. The network
    /// is the same object.
    /// </summary>
    internal TextGenerationModel WithTemplateOf(ChatForm? form) =>
        form?.Template is not { } template || ChatFormat.Find(Tokenizer)?.TemplateNames.Contains(template) == true ? this
            : new(Network, Tokenizer.WithChatTemplate(template)) { Card = Card, PublishedEnds = PublishedEnds };

    private static ChatForm FormOf(ChatTemplateOptions? template) => template?.ToForm() ?? ChatForm.Usual;
}
