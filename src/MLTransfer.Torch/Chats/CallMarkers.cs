using System.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Chats;

/// <summary>What stands around the calls of functions in a model's answer, as its text shows it: without special tokens.</summary>
/// <param name="Begin">Such as <c>&lt;tool_call&gt;</c>; empty where the answer begins with the call.</param>
/// <param name="End">Such as <c>&lt;/tool_call&gt;</c>; empty where the answer ends with the call.</param>
public sealed record CallMarkers(string Begin, string End)
{
    private const string Function = "probe_42";

    private const string Question = """{"role": "user", "content": "Question"}""";

    private const string Call =
        $$"""
        {"role": "assistant", "content": null, "tool_calls":
          [{"id": "probe0042", "type": "function", "function": {"name": "{{Function}}", "arguments": {"city": "Paris"} } }] }
        """;

    private const string Tools =
        $$"""
        [{"type": "function", "function": {"name": "{{Function}}", "description": "Tells the weather.",
          "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Where."} }, "required": ["city"]} } }]
        """;

    /// <summary>Finds them by rendering a call.</summary>
    /// <param name="render">Renders a chat.</param>
    /// <param name="variables">The template's switches.</param>
    /// <param name="endOfTurn">Ends an answer, so that no text shows it; null where nothing does.</param>
    /// <param name="tokenizer">Knows the special tokens.</param>
    /// <returns>Null where the template refuses a call, or writes none as JSON with the function's name in it.</returns>
    internal static CallMarkers? Find(
        Func<ChatInput, string> render, IReadOnlyDictionary<string, string> variables, string? endOfTurn, TextTokenizer tokenizer)
    {
        string prompt, text;
        try
        {
            prompt = render(new()
            {
                Messages = $"[{Question}]", Tools = Tools, Variables = variables, AddGenerationPrompt = true,
            });
            text = render(new() { Messages = $"[{Question}, {Call}]", Tools = Tools, Variables = variables });
        }
        catch (ChatTemplateException)
        {
            return null;
        }

        var turn = text[prompt.AsSpan().CommonPrefixLength(text)..];
        var name = turn.IndexOf(Function, StringComparison.Ordinal);
        for (var start = turn.AsSpan().IndexOfAny('{', '['); start >= 0 && start < name; start = Next(turn, start))
        {
            var bytes = Encoding.UTF8.GetBytes(turn[start..]);
            if (JsonContent.ParseStart(bytes, out var length) is null)
                continue;
            var end = start + Encoding.UTF8.GetCharCount(bytes.AsSpan(0, length));
            if (end > name)
                return new(Words(turn[..start]).LastOrDefault(""), Words(BeforeEnd(turn[end..])).FirstOrDefault(""));
        }

        return null;

        string BeforeEnd(string behind) => string.IsNullOrEmpty(endOfTurn) ? behind : behind.Split(endOfTurn, 2)[0];

        // What an answer's text shows.
        string[] Words(string marker) => tokenizer.Decode(tokenizer.Encode(marker, addSpecialTokens: false), skipSpecialTokens: true)
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    private static int Next(string text, int start)
    {
        var next = text.AsSpan(start + 1).IndexOfAny('{', '[');
        return next < 0 ? -1 : start + 1 + next;
    }
}
