using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Exports;

/// <summary>
/// A chat template in the language of Go's text/template, which Ollama has. It is found by rendering chats: what stands before and behind
/// the words of each role. A template that is more than that has none.
/// </summary>
internal sealed class OllamaTemplate
{
    private const string System = "system", User = "user", Assistant = "assistant";

    private readonly Func<(string Role, string Text)[], bool, string> _render;
    private readonly Dictionary<string, (string Before, string After)> _turns = [];
    private string _start = "";  // before every chat
    private string _usual = "";  // what stands in the place of a system's turn where there is none
    private string _reply = "";  // the beginning of an answer

    private OllamaTemplate(Func<(string Role, string Text)[], bool, string> render) => _render = render;

    /// <summary>The template; null where it cannot be told so.</summary>
    public static string? Of(ChatFormat chats, TextTokenizer tokenizer)
    {
        // llama.cpp puts the first token before a text itself.
        var first = tokenizer.AroundText is ({ Count: > 0 } leading, _) ? tokenizer.IdToToken(leading[0]) : "";
        var template = new OllamaTemplate(Render);
        try
        {
            return template.Find() ? template.Format() : null;
        }
        catch (ChatTemplateException)
        {
            return null;
        }

        string Render((string Role, string Text)[] turns, bool replies)
        {
            var text = chats.Render(new ChatInput
            {
                Messages = JsonSerializer.Serialize(turns.Select(turn => new { role = turn.Role, content = turn.Text })),
                AddGenerationPrompt = replies,
            }, ChatTemplateStore.Default).Text;
            return text.StartsWith(first, StringComparison.Ordinal) ? text[first.Length..] : text;
        }
    }

    private bool Find()
    {
        var talk = Cut(_render([(User, "Q1x"), (Assistant, "A1x"), (User, "Q2x")], false), "Q1x", "A1x", "Q2x");
        var told = Cut(_render([(User, "Q1x"), (Assistant, "A1x")], false), "Q1x", "A1x");
        var asked = Cut(_render([(User, "Q1x"), (Assistant, "A1x"), (User, "Q2x")], true), "Q1x", "A1x", "Q2x");
        if (talk is null || told is null || asked is null)
            return false;
        var (afterUser, afterAssistant) = (talk[3], told[2]);
        if (!talk[1].StartsWith(afterUser, StringComparison.Ordinal) || !talk[2].StartsWith(afterAssistant, StringComparison.Ordinal)
            || !asked[3].StartsWith(afterUser, StringComparison.Ordinal))
        {
            return false;
        }

        var beforeUser = talk[2][afterAssistant.Length..];
        if (!talk[0].EndsWith(beforeUser, StringComparison.Ordinal))
            return false;
        _turns[User] = (beforeUser, afterUser);
        _turns[Assistant] = (talk[1][afterUser.Length..], afterAssistant);
        _reply = asked[3][afterUser.Length..];
        _start = talk[0][..^beforeUser.Length];
        return FindSystem(beforeUser) && Holds([(User, "Hello there"), (Assistant, "Yes?"), (User, "And now")])
            && (!_turns.ContainsKey(System)
                || Holds([(System, "Be brief"), (User, "Hello there"), (Assistant, "Yes?"), (User, "And now")]));
    }

    /// <summary>A system's turn comes first; where there is none, another text may stand in its place.</summary>
    private bool FindSystem(string beforeUser)
    {
        string[]? ruled;
        try
        {
            ruled = Cut(_render([(System, "S1x"), (User, "Q1x")], false), "S1x", "Q1x");
        }
        catch (ChatTemplateException)
        {
            return true; // it takes no system's turn
        }

        if (ruled is null)
            return true; // it writes none
        if (!ruled[1].EndsWith(beforeUser, StringComparison.Ordinal))
            return false; // it stands within the user's
        if (ruled[0].StartsWith(_start, StringComparison.Ordinal))
            ruled[0] = ruled[0][_start.Length..];
        else
            (_usual, _start) = (_start, "");
        _turns[System] = (ruled[0], ruled[1][..^beforeUser.Length]);
        return true;
    }

    /// <summary>Whether the parts make what the template itself makes.</summary>
    private bool Holds((string Role, string Text)[] chat) =>
        _render(chat, true) == _start + (chat[0].Role == System ? "" : _usual)
            + string.Concat(chat.Select(turn => _turns[turn.Role].Before + turn.Text + _turns[turn.Role].After)) + _reply;

    private string Format()
    {
        var text = new StringBuilder(Plain(_start));
        if (_usual.Length > 0)
            text.Append("{{ if not .System }}").Append(Plain(_usual)).Append("{{ end }}");
        text.Append("{{ range .Messages }}");
        var keyword = "if";
        foreach (var (role, (before, after)) in _turns)
        {
            text.Append("{{ ").Append(keyword).Append(" eq .Role \"").Append(role).Append("\" }}")
                .Append(Plain(before)).Append("{{ .Content }}").Append(Plain(after));
            keyword = "else if";
        }

        return text.Append("{{ end }}{{ end }}").Append(Plain(_reply)).ToString();
    }

    /// <summary>A text that means itself in the template, and in the quotes of the file.</summary>
    private static string Plain(string text) => text.Replace("{{", "{{ \"{{\" }}", StringComparison.Ordinal)
        .Replace("\"\"\"", "{{ `\"` }}{{ `\"` }}{{ `\"` }}", StringComparison.Ordinal);

    /// <summary>What stands around marks, in their order; null where one is missing or there twice.</summary>
    private static string[]? Cut(string text, params ReadOnlySpan<string> marks)
    {
        var (parts, from) = (new string[marks.Length + 1], 0);
        for (var i = 0; i < marks.Length; i++)
        {
            var place = text.IndexOf(marks[i], from, StringComparison.Ordinal);
            if (place < 0 || text.IndexOf(marks[i], place + 1, StringComparison.Ordinal) >= 0)
                return null;
            (parts[i], from) = (text[from..place], place + marks[i].Length);
        }

        parts[^1] = text[from..];
        return parts;
    }
}
