using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary>The body of a request for a chat completion.</summary>
public sealed record ChatRequest
{
    public string? Model { get; init; }

    public IReadOnlyList<ChatRequestMessage> Messages { get; init; } = [];

    public bool Stream { get; init; }

    [JsonPropertyName("stream_options")]
    public StreamOptions? StreamOptions { get; init; }

    public float? Temperature { get; init; }

    [JsonPropertyName("top_p")]
    public float? TopP { get; init; }

    [JsonPropertyName("max_tokens")]
    public int? MaxTokens { get; init; }

    [JsonPropertyName("max_completion_tokens")]
    public int? MaxCompletionTokens { get; init; }

    public JsonElement? Stop { get; init; }

    public long? Seed { get; init; }

    [JsonPropertyName("frequency_penalty")]
    public float? FrequencyPenalty { get; init; }

    [JsonPropertyName("presence_penalty")]
    public float? PresencePenalty { get; init; }

    [JsonPropertyName("response_format")]
    public ResponseFormat? ResponseFormat { get; init; }

    public IReadOnlyList<RequestedTool>? Tools { get; init; }

    [JsonPropertyName("tool_choice")]
    public JsonElement? ToolChoice { get; init; }

    [JsonPropertyName("parallel_tool_calls")]
    public bool? ParallelToolCalls { get; init; }

    /// <summary>What has no place above, such as <c>user</c>; of it <c>n</c>, <c>logprobs</c> and <c>logit_bias</c> are refused.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; init; }

    /// <exception cref="NotSupportedException">Something is asked for that is not served.</exception>
    public ChatOptions ToOptions()
    {
        foreach (var (name, value) in Others ?? [])
        {
            if (name is "logit_bias" or "functions" || (name == "n" && value.GetRawText() != "1")
                || (name == "logprobs" && value.ValueKind == JsonValueKind.True))
                throw new NotSupportedException($"'{name}' is not supported.");
        }

        return new ChatOptions
        {
            Temperature = Temperature,
            TopP = TopP,
            MaxOutputTokens = MaxCompletionTokens ?? MaxTokens,
            StopSequences = Stop is { } stop ? RequestText.Texts(stop, "stop") : null,
            Seed = Seed ?? Random.Shared.NextInt64(), // as OpenAI: who asks again gets another answer
            FrequencyPenalty = FrequencyPenalty,
            PresencePenalty = PresencePenalty,
            ResponseFormat = ResponseFormat?.Type is null or "text" ? null : ChatResponseFormat.Json,
            Tools = Tools is { Count: > 0 } tools ? [.. tools.Select(tool => tool.ToTool())] : null,
            ToolMode = ToMode(),
            AllowMultipleToolCalls = ParallelToolCalls,
        };
    }

    private ChatToolMode? ToMode() => ToolChoice switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } choice => choice.GetString() switch
        {
            "none" => ChatToolMode.None,
            "auto" => ChatToolMode.Auto,
            _ => ChatToolMode.RequireAny,
        },
        _ => ChatToolMode.RequireAny,
    };
}

/// <summary>Whether the usage is told at the end of a stream.</summary>
public sealed record StreamOptions([property: JsonPropertyName("include_usage")] bool IncludeUsage);

/// <summary>The form that an answer shall have.</summary>
public sealed record ResponseFormat(string? Type);

/// <summary>A function that the model may call.</summary>
public sealed record RequestedTool(string Type, RequestedFunction Function)
{
    public AITool ToTool() => Function is null ? throw new NotSupportedException($"A tool of type '{Type}' is not supported.")
        : AIFunctionFactory.CreateDeclaration(Function.Name, Function.Description, Function.Parameters ?? NoParameters);

    private static JsonElement NoParameters => JsonElement.Parse("""{"type": "object", "properties": {}}""");
}

/// <summary>Its name and what it takes.</summary>
public sealed record RequestedFunction(string Name, string? Description, JsonElement? Parameters);
