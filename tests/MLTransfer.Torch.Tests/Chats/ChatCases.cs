using System.Globalization;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tests.ChatTemplates;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Tests.Chats;

/// <summary>The reference's checkpoints with chat templates, and its cases.</summary>
internal static class ChatCases
{
    private static readonly string[] s_files =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

    public static IReadOnlyDictionary<string, byte[]> Files(string name) =>
        s_files.Where(file => ChatReferences.File($"{name}/{file}") is not null)
            .ToDictionary(file => file, file => Encoding.UTF8.GetBytes(ChatReferences.File($"{name}/{file}")!));

    public static TextTokenizer Tokenizer(string name) => TextTokenizer.Load(Files(name));

    public static IEnumerable<JsonElement> Of(string name) =>
        ChatReferences.Json($"{name}/cases.json").GetProperty("cases").EnumerateArray();

    public static string? Chosen(JsonElement reference) =>
        reference.TryGetProperty("chat_template", out var chosen) ? chosen.GetString() : null;

    public static ChatInput Input(JsonElement reference) => new()
    {
        Messages = reference.GetProperty("messages").GetRawText(),
        Tools = Optional(reference, "tools"),
        Documents = Optional(reference, "documents"),
        AddGenerationPrompt = reference.GetProperty("add_generation_prompt").GetBoolean(),
        ContinueFinalMessage = reference.TryGetProperty("continue_final_message", out var continues) && continues.GetBoolean(),
        Variables = reference.TryGetProperty("kwargs", out var variables)
            ? variables.EnumerateObject().ToDictionary(variable => variable.Name, variable => variable.Value.GetRawText()) : [],
        Clock = new FixedClock(DateTime.Parse(
            reference.TryGetProperty("now", out var now) ? now.GetString()! : "2025-01-01T00:00:00", CultureInfo.InvariantCulture)),
    };

    private static string? Optional(JsonElement reference, string key) =>
        reference.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;

    private sealed class FixedClock(DateTime time) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(time, TimeSpan.Zero);
    }
}
