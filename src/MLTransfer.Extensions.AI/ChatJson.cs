using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLTransfer.Extensions.AI;

/// <summary>Messages and tools as chat templates take them: JSON in the format of OpenAI.</summary>
internal static class ChatJson
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="NotSupportedException">A message holds what no template takes, such as a picture.</exception>
    public static string Write(string? instructions, IEnumerable<ChatMessage> messages, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        var functions = new Dictionary<string, string>(StringComparer.Ordinal); // called, by the id of the call
        var list = new JsonArray();
        if (!string.IsNullOrEmpty(instructions))
            list.Add(Message(ChatRole.System, instructions));
        foreach (var message in messages)
        {
            foreach (var entry in Entries(message, functions))
                list.Add(entry);
        }

        var chat = new JsonObject { ["messages"] = list };
        if (tools.Count > 0)
            chat["tools"] = new JsonArray([.. tools.Select(Tool)]);
        return chat.ToJsonString(s_plain);
    }

    private static JsonObject Message(ChatRole role, JsonNode? content) => new() { ["role"] = role.Value, ["content"] = content };

    /// <summary>A message, or one for each result of a function.</summary>
    private static IEnumerable<JsonObject> Entries(ChatMessage message, Dictionary<string, string> functions)
    {
        var (text, thought) = (new List<string>(), new List<string>());
        var calls = new JsonArray();
        var results = new List<JsonObject>();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent words:
                    text.Add(words.Text);
                    break;
                case TextReasoningContent reasoning:
                    thought.Add(reasoning.Text);
                    break;
                case FunctionCallContent call:
                    functions[call.CallId] = call.Name;
                    calls.Add(Call(call));
                    break;
                case FunctionResultContent result:
                    results.Add(Result(result, functions));
                    break;
                case UsageContent:
                    break; // tells of an answer and is no part of it
                default:
                    throw new NotSupportedException(
                        $"A message of '{message.Role}' holds a {content.GetType().Name}; chat templates take words, calls of functions "
                        + "and their results.");
            }
        }

        if (results.Count == 0 || text.Count > 0 || calls.Count > 0)
        {
            var entry = Message(message.Role, text.Count == 0 && calls.Count > 0 ? null : string.Concat(text));
            if (message.AuthorName is { } author)
                entry["name"] = author;
            if (thought.Count > 0)
                entry["reasoning_content"] = string.Concat(thought);
            if (calls.Count > 0)
                entry["tool_calls"] = calls;
            yield return entry;
        }

        foreach (var result in results)
            yield return result;
    }

    private static JsonObject Call(FunctionCallContent call) => new()
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.SerializeToNode(
                call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions),
        },
    };

    private static JsonObject Result(FunctionResultContent result, Dictionary<string, string> functions)
    {
        var entry = Message(ChatRole.Tool, result.Result switch
        {
            string text => text,
            JsonElement { ValueKind: JsonValueKind.String } element => element.GetString(),
            null => result.Exception?.Message ?? "",
            var value => JsonSerializer.SerializeToNode(value, AIJsonUtilities.DefaultOptions)?.ToJsonString(s_plain) ?? "",
        });
        entry["tool_call_id"] = result.CallId;
        if (functions.TryGetValue(result.CallId, out var name))
            entry["name"] = name;
        return entry;
    }

    private static JsonObject Tool(AIFunctionDeclaration tool) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = tool.Name, ["description"] = tool.Description, ["parameters"] = JsonSerializer.SerializeToNode(tool.JsonSchema),
        },
    };
}
