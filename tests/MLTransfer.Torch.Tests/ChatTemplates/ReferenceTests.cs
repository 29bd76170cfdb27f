using System.Globalization;
using System.Text.Json;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.ChatTemplates.Values;
using Xunit;

namespace MLTransfer.Torch.Tests.ChatTemplates;

public sealed class ReferenceTests
{
    public static TheoryData<string> Templates => [.. ChatReferences.Templates];

    [Fact]
    public void Every_snippet_of_the_language_gives_the_text_or_the_error_of_the_reference()
    {
        var failures = new List<string>();
        var snippets = ChatReferences.Json("engine/snippets.json").GetProperty("snippets").EnumerateArray().ToList();
        foreach (var snippet in snippets)
        {
            var context = snippet.GetProperty("context").EnumerateObject()
                .ToDictionary(property => property.Name, property => JsonValues.Of(property.Value));
            Compare(snippet, failures, () =>
                ChatTemplate.Parse(snippet.GetProperty("template").GetString()!).Render(context, Clock(snippet)));
        }
        Assert.Equal(374, snippets.Count);
        Assert.True(failures.Count == 0, $"{failures.Count} of {snippets.Count} differ:\n{string.Join('\n', failures)}");
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_case_of_a_template_gives_the_text_or_the_error_of_the_reference(string name)
    {
        var failures = new List<string>();
        foreach (var reference in ChatReferences.Json($"{name}/cases.json").GetProperty("cases").EnumerateArray())
            Compare(reference, failures, () => ChatTemplate.Parse(Template(name, reference)).Render(Input(name, reference)));
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    [Fact]
    public void There_are_21_templates_with_371_cases()
    {
        Assert.Equal(21, ChatReferences.Templates.Count());
        Assert.Equal(
            371, ChatReferences.Templates.Sum(name => ChatReferences.Json($"{name}/cases.json").GetProperty("cases").GetArrayLength()));
    }

    private static void Compare(JsonElement reference, List<string> failures, Func<ChatRendering> render)
    {
        var name = reference.GetProperty("name").GetString();
        string? expected = reference.TryGetProperty("rendered", out var text) ? text.GetString() : null;
        try
        {
            var rendering = render();
            if (rendering.Text != expected)
                failures.Add($"{name}: expected {expected ?? "an error: " + reference.GetProperty("error")}\n  but is {rendering.Text}");
            else if (reference.TryGetProperty("generation_spans", out var spans))
            {
                var places = string.Join(' ', rendering.GenerationSpans.Select(span =>
                    $"{CodePoints(rendering.Text, span.Start.Value)}-{CodePoints(rendering.Text, span.End.Value)}"));
                var expectedPlaces = string.Join(' ', spans.EnumerateArray().Select(span => $"{span[0]}-{span[1]}"));
                // transformers loses a block that is the first thing which a template writes.
                if (places != expectedPlaces && !(places.StartsWith("0-", StringComparison.Ordinal)
                    && places[(places.IndexOf(' ', StringComparison.Ordinal) + 1)..] == expectedPlaces))
                    failures.Add($"{name}: spans {places}, expected {expectedPlaces}");
            }
        }
        catch (ChatTemplateException exception)
        {
            if (expected is not null)
                failures.Add($"{name}: {exception.Message}");
            else if (reference.GetProperty("error_kind").GetString() == "raised"
                && (!exception.IsRaised || exception.Reason != reference.GetProperty("error").GetString()))
                failures.Add($"{name}: the error is {exception.Message}, expected {reference.GetProperty("error")}");
            else if (exception.Line == 0)
                failures.Add($"{name}: the error names no line: {exception.Message}");
        }
    }

    private static int CodePoints(string text, int end) => text.AsSpan(0, end).ToString().EnumerateRunes().Count();

    private static ChatInput Input(string name, JsonElement reference)
    {
        string? Optional(string key) =>
            reference.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;
        var variables = SpecialTokens(name);
        if (reference.TryGetProperty("kwargs", out var extra))
        {
            foreach (var variable in extra.EnumerateObject())
                variables[variable.Name] = variable.Value.GetRawText();
        }
        return new()
        {
            Messages = reference.GetProperty("messages").GetRawText(),
            Tools = Optional("tools"),
            Documents = Optional("documents"),
            AddGenerationPrompt = reference.GetProperty("add_generation_prompt").GetBoolean(),
            ContinueFinalMessage = reference.TryGetProperty("continue_final_message", out var continues) && continues.GetBoolean(),
            Variables = variables,
            Clock = Clock(reference),
        };
    }

    private static Dictionary<string, string> SpecialTokens(string name)
    {
        var variables = new Dictionary<string, string>();
        var configuration = ChatReferences.Json($"{name}/tokenizer_config.json");
        foreach (var property in configuration.EnumerateObject())
        {
            if (property.Name.EndsWith("_token", StringComparison.Ordinal) && Content(property.Value) is { } token)
                variables[property.Name] = token;
        }
        if (configuration.TryGetProperty("extra_special_tokens", out var extra) && extra.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in extra.EnumerateObject())
                variables[property.Name] = Content(property.Value)!;
        }
        return variables;
    }

    private static string? Content(JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetRawText(),
        JsonValueKind.Object => token.GetProperty("content").GetRawText(),
        _ => null,
    };

    private static string Template(string name, JsonElement reference)
    {
        var templates = new Dictionary<string, string>();
        if (ChatReferences.File($"{name}/chat_template.jinja") is { } file)
            templates["default"] = file;
        else
        {
            var stored = ChatReferences.Json($"{name}/tokenizer_config.json").GetProperty("chat_template");
            if (stored.ValueKind == JsonValueKind.String)
                templates["default"] = stored.GetString()!;
            else
            {
                foreach (var item in stored.EnumerateArray())
                    templates[item.GetProperty("name").GetString()!] = item.GetProperty("template").GetString()!;
            }
        }
        if (reference.TryGetProperty("chat_template", out var chosen))
            return templates.GetValueOrDefault(chosen.GetString()!) ?? chosen.GetString()!;
        return reference.TryGetProperty("tools", out _) && templates.TryGetValue("tool_use", out var forTools) ? forTools
            : templates["default"];
    }

    private static FixedClock Clock(JsonElement reference) => new(
        DateTime.Parse(
            reference.TryGetProperty("now", out var now) ? now.GetString()! : "2025-01-01T00:00:00", CultureInfo.InvariantCulture));

    private sealed class FixedClock(DateTime time) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(time, TimeSpan.Zero);
    }
}
