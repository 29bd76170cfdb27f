using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Text.Chats;

/// <summary>The messages of a chat in OpenAI's format, checked, and as chat templates take them.</summary>
/// <param name="Messages">A JSON array.</param>
/// <param name="Tools">A JSON array, or null.</param>
/// <param name="Documents">A JSON array, or null.</param>
/// <param name="LastRole">The role of the last message.</param>
internal sealed record ChatMessages(string Messages, string? Tools, string? Documents, string LastRole)
{
    public const string Assistant = "assistant";

    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads an array of messages, or an object with <c>messages</c> and, where there are any, <c>tools</c> and
    /// <c>documents</c>.</summary>
    /// <param name="json">The JSON.</param>
    /// <param name="takesParts">Whether the template takes lists of parts; else their texts are joined by line ends.</param>
    /// <exception cref="InvalidDataException">It is no chat; the message says which message is at fault, from 0, and what is
    /// expected.</exception>
    public static ChatMessages Read(string json, bool takesParts)
    {
        var root = JsonContent.Parse(Encoding.UTF8.GetBytes(json), "The chat");
        var (messages, tools, documents) = root.ValueKind == JsonValueKind.Object
            ? (Optional(root, "messages"), Optional(root, "tools"), Optional(root, "documents")) : (root, null, null);
        if (messages is not { ValueKind: JsonValueKind.Array } list)
        {
            throw new InvalidDataException(
                "The chat is no JSON array of messages, such as [{\"role\": \"user\", \"content\": \"Hello\"}], and no object with "
                + "one under 'messages'.");
        }

        if (list.GetArrayLength() == 0)
            throw new InvalidDataException("The chat has no message.");
        var checkedMessages = new JsonArray([.. list.EnumerateArray().Select((message, index) => Check(message, index, takesParts))]);
        return new(
            checkedMessages.ToJsonString(s_plain), ListOf(tools, "tools"), ListOf(documents, "documents"),
            (string)checkedMessages[^1]!["role"]!);
    }

    /// <summary>The chat of messages without anything else.</summary>
    public static string ToJson(IReadOnlyList<ChatTurn> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        if (turns.Any(turn => turn?.Role is null || turn.Content is null))
            throw new ArgumentException("A message, its role or its content is null.", nameof(turns));
        return new JsonArray(
            [.. turns.Select(turn => new JsonObject { ["role"] = turn.Role, ["content"] = turn.Content })]).ToJsonString(s_plain);
    }

    /// <summary>A chat up to the assistant's last message; null where it begins with that.</summary>
    /// <param name="chat">A chat that <see cref="Read"/> takes, with a message of the assistant.</param>
    public static string? BeforeLastAnswer(string chat)
    {
        var parsed = JsonContent.Parse(Encoding.UTF8.GetBytes(chat), "The chat");
        JsonNode root = parsed.ValueKind == JsonValueKind.Array ? JsonArray.Create(parsed)! : JsonObject.Create(parsed)!;
        var messages = root as JsonArray ?? (JsonArray)root["messages"]!;
        do
        {
            var role = (string?)messages[^1]!["role"];
            messages.RemoveAt(messages.Count - 1);
            if (role == Assistant)
                return messages.Count > 0 ? root.ToJsonString(s_plain) : null;
        }
        while (messages.Count > 0);
        return null;
    }

    /// <summary>A chat with further messages.</summary>
    /// <param name="chat">The chat.</param>
    /// <param name="answer">A JSON array of messages, or any other text, which is what the assistant says.</param>
    /// <exception cref="InvalidDataException">The chat is no JSON, or has no messages.</exception>
    public static string WithAnswer(string chat, string answer)
    {
        var parsed = JsonContent.Parse(Encoding.UTF8.GetBytes(chat), "The chat");
        JsonNode? root = parsed.ValueKind switch
        {
            JsonValueKind.Array => JsonArray.Create(parsed), JsonValueKind.Object => JsonObject.Create(parsed), _ => null,
        };
        if ((root as JsonArray ?? root?["messages"]) is not JsonArray messages)
            throw new InvalidDataException("The chat is no JSON array of messages, and no object with one under 'messages'.");
        foreach (var message in MessagesOf(answer) ?? [new JsonObject { ["role"] = Assistant, ["content"] = answer }])
            messages.Add(message?.DeepClone());
        return root!.ToJsonString(s_plain);
    }

    /// <summary>A prompt as a chat: it is one, or, where it does not begin as JSON, what a user says.</summary>
    public static string OfPrompt(string prompt) => prompt is ['[' or '{', ..] ? prompt : ToJson([new ChatTurn("user", prompt)]);

    /// <summary>A chat of messages and tools that stand apart.</summary>
    /// <exception cref="InvalidDataException">The tools are no JSON.</exception>
    public static string Join(ReadOnlyMemory<char> messages, ReadOnlyMemory<char> tools) =>
        tools.Span.IsWhiteSpace() ? messages.ToString() : $$"""{"messages": {{messages}}, "tools": {{tools}}}""";

    /// <summary>The messages of a JSON array of objects with roles; null where a text is none.</summary>
    private static JsonArray? MessagesOf(string text)
    {
        if (text.TrimStart() is not ['[', ..])
            return null;
        try
        {
            var array = JsonArray.Create(JsonContent.Parse(Encoding.UTF8.GetBytes(text), "The answer"));
            return array is { Count: > 0 } && array.All(message => message is JsonObject of && of.ContainsKey("role")) ? array : null;
        }
        catch (InvalidDataException)
        {
            return null; // a text that begins with a bracket
        }
    }

    private static JsonElement? Optional(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? ListOf(JsonElement? value, string name) => value switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => list.GetRawText(),
        _ => throw new InvalidDataException($"The chat's '{name}' are no JSON array."),
    };

    private static JsonObject Check(JsonElement element, int index, bool takesParts)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Wrong(index, "is no JSON object with 'role' and 'content'");
        var message = JsonObject.Create(element)!;
        if (message["role"] is not JsonValue role || !role.TryGetValue(out string? name) || name.Length == 0)
            throw Wrong(index, "has no text 'role'");
        if (message["weight"] is JsonValue weight && !(weight.TryGetValue(out double factor) && factor == 1))
            throw Wrong(
                index, $"has the weight {weight.ToJsonString()}; messages count alike. Leave the chat out, or take the last turn alone");
        message.Remove("weight");
        if (message["content"] is { } content)
            message["content"] = Content(content, index, takesParts);
        else if (message["tool_calls"] is null)
            throw Wrong(index, "has no 'content'; only a message with 'tool_calls' needs none");
        CheckCalls(message, index);
        return message;
    }

    private static JsonNode Content(JsonNode content, int index, bool takesParts)
    {
        switch (content)
        {
            case JsonValue value when value.TryGetValue(out string? text):
                return text;
            case JsonArray parts:
                var texts = parts.Select((part, number) => TextOf(part, index, number)).ToList();
                return takesParts ? parts.DeepClone() : string.Join('\n', texts);
            default:
                throw Wrong(index, $"has the content {Shortened(content)}; expected a text or a list of parts of type 'text'");
        }
    }

    private static string TextOf(JsonNode? part, int index, int number)
    {
        if (part is not JsonObject of || of["type"] is not JsonValue kind || !kind.TryGetValue(out string? type))
            throw Wrong(index, $"has a part {number} without a 'type'");
        if (type != "text")
            throw Wrong(index, $"has a part {number} of type '{type}'; the model takes parts of type 'text' alone");
        return of["text"] is JsonValue value && value.TryGetValue(out string? text)
            ? text : throw Wrong(index, $"has a part {number} of type 'text' without a 'text'");
    }

    // OpenAI's arguments are a text that holds JSON; chat templates are written for the JSON itself.
    private static void CheckCalls(JsonObject message, int index)
    {
        if (message["tool_calls"] is not { } entry)
            return;
        if (entry is not JsonArray calls)
            throw Wrong(index, "has 'tool_calls' that are no list");
        foreach (var (number, call) in calls.Index())
        {
            if (call is not JsonObject of || (of.ContainsKey("function") ? of["function"] as JsonObject : of) is not { } function)
                throw Wrong(index, $"has a tool call {number} that is no object with a 'function'");
            if (function["name"] is not JsonValue name || !name.TryGetValue(out string? _))
                throw Wrong(index, $"has a tool call {number} without a 'name'");
            if (function["arguments"] is not JsonValue value || !value.TryGetValue(out string? arguments))
                continue;
            function["arguments"] = arguments.Length == 0 ? new JsonObject() : JsonContent.ParseObject(
                Encoding.UTF8.GetBytes(arguments), $"Message {index}, tool call {number}: the text of 'arguments'");
        }
    }

    private static string Shortened(JsonNode node) =>
        node.ToJsonString() is { Length: > 60 } text ? text[..60] + "..." : node.ToJsonString();

    private static InvalidDataException Wrong(int index, string what) => new($"Message {index} {what}.");
}
