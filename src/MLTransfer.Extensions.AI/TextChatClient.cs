using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using MLTransfer.Text;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Extensions.AI;

/// <summary>A text generator as a chat client.</summary>
internal sealed class TextChatClient : IChatClient
{
    private readonly ITextResponder _responder;
    private readonly GenerationOptions _usual;
    private readonly ChatForm _form;
    private readonly bool _hasTemplate;
    private readonly ServedModel _served;
    private readonly ChatClientMetadata _metadata;

    /// <param name="responder">The text generator.</param>
    /// <param name="model">What it was found in.</param>
    /// <param name="modelId">What the client calls the model; null for its own name.</param>
    /// <param name="generation">How texts are generated where a request does not say; null as the model does.</param>
    /// <param name="template">How chats are rendered; null as the model does.</param>
    /// <param name="ownsModel">Whether the client disposes the model.</param>
    /// <exception cref="ArgumentException">An option is not valid, or the model has no such template.</exception>
    public TextChatClient(
        ITextResponder responder, object model, string? modelId, GenerationOptions? generation, ChatTemplateOptions? template,
        bool ownsModel)
    {
        generation?.Check();
        var chats = responder.Chats;
        (_responder, _usual) = (responder, generation ?? responder.Generation);
        _form = template?.ToForm() ?? responder.Form ?? ChatForm.Usual;
        _hasTemplate = _form.Template is not null || ChatFormat.Find(chats.Tokenizer) is not null;
        if (_hasTemplate)
            chats.Check(_form);
        _served = new ServedModel(model, modelId ?? responder.ModelName, ownsModel);
        _metadata = new ChatClientMetadata(ServedModel.ProviderName, defaultModelId: _served.ModelId);
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Task.Run(() => Respond(Read(messages, options), cancellationToken), cancellationToken);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = await Task.Run(() => Read(messages, options), cancellationToken).ConfigureAwait(false);
        if (request.Generation.BeamCount > 1) // there is nothing before the end
        {
            var whole = await Task.Run(() => Respond(request, cancellationToken), cancellationToken).ConfigureAwait(false);
            foreach (var update in whole.ToChatResponseUpdates())
                yield return update;
            yield break;
        }

        var id = NewId();
        GeneratedTokens? generated = null;
        var pieces = request.Generator.StreamFrom(request.Prompt, request.Generation, cancellationToken, tokens => generated = tokens);
        await foreach (var piece in pieces.ConfigureAwait(false))
        {
            foreach (var content in request.Answer.Append(piece))
                yield return Update(id, content);
        }

        foreach (var content in request.Answer.Complete())
            yield return Update(id, content);
        var last = Update(id, new UsageContent(Usage(request, generated!.TokenIds.Count)));
        last.FinishReason = Reason(request.Answer, generated.FinishReason);
        yield return last;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        _served.Find(serviceType, serviceKey, this, _metadata, _responder);

    public void Dispose() => _served.Dispose();

    private Request Read(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        _served.Check(this, options?.ModelId);
        IReadOnlyList<ChatMessage> list = [.. messages];
        if (list.Count == 0)
            throw new ArgumentException("There is no message.", nameof(messages));
        var tools = RequestedTools.Of(options);
        var generation = RequestedGeneration.Of(options, _usual, this);
        var chats = _responder.Chats;
        var markers = tools.Count > 0 && _hasTemplate ? chats.CallMarkersOf(_form) : null;
        var answer = new AnswerReader(tools, markers, several: options?.AllowMultipleToolCalls != false);
        if (!_hasTemplate)
        {
            Refused.If(tools.Count > 0, nameof(ChatOptions.Tools), "the model has no chat template that would tell it of them.");
            return new(chats.Generator, chats.Generator.Encode(PlainChat.Join(options?.Instructions, list)), generation, answer);
        }

        var (prompt, withEnds) = Rendered(tools);
        if (tools.Count > 0)
        {
            Refused.If(
                prompt.AsSpan().SequenceEqual(Rendered([]).Prompt), nameof(ChatOptions.Tools),
                "the model's chat template writes nothing of them.");
        }

        return new(chats.Generator, prompt, withEnds, answer);

        (int[] Prompt, GenerationOptions Options) Rendered(IReadOnlyList<AIFunctionDeclaration> functions) =>
            chats.Read(ChatJson.Write(options?.Instructions, list, functions), _form, generation);
    }

    private ChatResponse Respond(Request request, CancellationToken cancellationToken)
    {
        var generated = request.Generator.GenerateFrom([request.Prompt], request.Generation, cancellationToken)[0][0];
        var id = NewId();
        var message = new ChatMessage(ChatRole.Assistant, [
            .. request.Answer.Append(generated.Text), .. request.Answer.Complete(),
        ]) { MessageId = id };
        return new ChatResponse(message)
        {
            ResponseId = id,
            ModelId = _served.ModelId,
            CreatedAt = DateTimeOffset.UtcNow,
            FinishReason = Reason(request.Answer, generated.FinishReason),
            Usage = Usage(request, generated.TokenIds.Count),
        };
    }

    private ChatResponseUpdate Update(string id, AIContent content) => new(ChatRole.Assistant, [content])
    {
        ResponseId = id, MessageId = id, ModelId = _served.ModelId, CreatedAt = DateTimeOffset.UtcNow,
    };

    private static string NewId() => $"{Guid.NewGuid():N}";

    private static UsageDetails Usage(Request request, int tokens) => new()
    {
        InputTokenCount = request.Prompt.Length, OutputTokenCount = tokens, TotalTokenCount = request.Prompt.Length + tokens,
    };

    private static ChatFinishReason Reason(AnswerReader answer, FinishReason reason) => answer.HasCalls ? ChatFinishReason.ToolCalls
        : reason == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;

    /// <param name="Generator">The model.</param>
    /// <param name="Prompt">What it goes on from.</param>
    /// <param name="Generation">How.</param>
    /// <param name="Answer">Reads what it writes.</param>
    private sealed record Request(TextGenerator Generator, int[] Prompt, GenerationOptions Generation, AnswerReader Answer);
}
