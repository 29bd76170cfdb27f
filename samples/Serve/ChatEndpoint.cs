using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary><c>/v1/chat/completions</c>: an answer in one piece, or as server-sent events while it is written.</summary>
internal static class ChatEndpoint
{
    private const string EndOfStream = "[DONE]";

    public static async Task<IResult> AnswerAsync(Served<IChatClient> served, ChatRequest request, CancellationToken gone)
    {
        var client = UnknownModelException.Check(served, request.Model);
        ChatMessage[] messages = [.. request.Messages.Select(message => message.ToMessage())];
        var options = request.ToOptions();
        if (!request.Stream)
            return TypedResults.Ok(Whole(await client.GetResponseAsync(messages, options, gone)));

        var updates = client.GetStreamingResponseAsync(messages, options, gone).GetAsyncEnumerator(gone);
        var hasAny = await updates.MoveNextAsync(); // a request that is refused gets its status; later it is too late
        return TypedResults.ServerSentEvents(EventsAsync(updates, hasAny, request.StreamOptions?.IncludeUsage == true, gone));
    }

    private static async IAsyncEnumerable<string> EventsAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates, bool hasAny, bool tellsUsage, [EnumeratorCancellation] CancellationToken gone)
    {
        await using var disposed = updates;
        for (var calls = 0; hasAny; hasAny = await updates.MoveNextAsync())
        {
            gone.ThrowIfCancellationRequested();
            var update = updates.Current;
            FunctionCallContent[] called = [.. update.Contents.OfType<FunctionCallContent>()];
            yield return Event(update, new
            {
                role = "assistant", content = called.Length > 0 ? null : update.Text,
                tool_calls = called.Length > 0 ? called.Select(call => Call(call, calls++)).ToList() : null,
            });
            if (tellsUsage && update.Contents.OfType<UsageContent>().FirstOrDefault() is { } usage)
                yield return UsageEvent(update, usage.Details);
        }

        yield return EndOfStream;
    }

    private static object Whole(ChatResponse response)
    {
        FunctionCallContent[] calls = [.. response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()];
        return new
        {
            id = response.ResponseId,
            @object = "chat.completion",
            created = response.CreatedAt?.ToUnixTimeSeconds(),
            model = response.ModelId,
            choices = new[]
            {
                new
                {
                    index = 0,
                    message = new
                    {
                        role = "assistant", content = calls.Length > 0 && response.Text.Length == 0 ? null : response.Text,
                        tool_calls = calls.Length > 0 ? calls.Select(Call) : null,
                    },
                    finish_reason = response.FinishReason?.Value,
                },
            },
            usage = Usage(response.Usage),
        };
    }

    private static string Event(ChatResponseUpdate update, object delta) => JsonSerializer.Serialize(new
    {
        id = update.ResponseId,
        @object = "chat.completion.chunk",
        created = update.CreatedAt?.ToUnixTimeSeconds(),
        model = update.ModelId,
        choices = new[] { new { index = 0, delta, finish_reason = update.FinishReason?.Value } },
    });

    /// <summary>The usage comes in an event without choices.</summary>
    private static string UsageEvent(ChatResponseUpdate update, UsageDetails usage) => JsonSerializer.Serialize(new
    {
        id = update.ResponseId,
        @object = "chat.completion.chunk",
        created = update.CreatedAt?.ToUnixTimeSeconds(),
        model = update.ModelId,
        choices = Array.Empty<object>(),
        usage = Usage(usage),
    });

    private static object? Usage(UsageDetails? usage) => usage is null ? null : new
    {
        prompt_tokens = usage.InputTokenCount, completion_tokens = usage.OutputTokenCount, total_tokens = usage.TotalTokenCount,
    };

    private static object Call(FunctionCallContent call, int index) => new
    {
        index,
        id = call.CallId,
        type = "function",
        function = new { name = call.Name, arguments = JsonSerializer.Serialize(call.Arguments) },
    };
}
