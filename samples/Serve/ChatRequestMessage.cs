using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Serve;

/// <summary>A message of a request.</summary>
public sealed record ChatRequestMessage
{
    public required string Role { get; init; }

    /// <summary>A text, a list of parts, or nothing.</summary>
    public JsonElement? Content { get; init; }

    public string? Name { get; init; }

    [JsonPropertyName("tool_calls")]
    public IReadOnlyList<RequestedCall>? ToolCalls { get; init; }

    [JsonPropertyName("tool_call_id")]
    public string? ToolCallId { get; init; }

    public ChatMessage ToMessage()
    {
        if (ToolCallId is not null)
            return new ChatMessage(ChatRole.Tool, [new FunctionResultContent(ToolCallId, string.Concat(Texts()))]);
        var contents = Texts().Select(text => (AIContent)new TextContent(text)).ToList();
        foreach (var call in ToolCalls ?? [])
        {
            contents.Add(FunctionCallContent.CreateFromParsedArguments(
                call.Function.Arguments, call.Id, call.Function.Name,
                static json => JsonSerializer.Deserialize<Dictionary<string, object?>>(json.Length == 0 ? "{}" : json)));
        }

        // "developer" is the newer name of the system's role
        var role = Role == "developer" ? ChatRole.System : new ChatRole(Role);
        return new ChatMessage(role, contents) { AuthorName = Name };
    }

    private IReadOnlyList<string> Texts() => Content is { } content ? RequestText.Parts(content) : [];
}

/// <summary>A call that the assistant has made.</summary>
public sealed record RequestedCall(string Id, CalledFunction Function);

/// <summary>What it has called.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">A text that holds JSON.</param>
public sealed record CalledFunction(string Name, string Arguments);
