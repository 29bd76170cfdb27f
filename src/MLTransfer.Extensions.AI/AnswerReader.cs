using Microsoft.Extensions.AI;

namespace MLTransfer.Extensions.AI;

/// <summary>
/// Finds calls of functions in what a model writes, while it comes: between <c>&lt;tool_call&gt;</c> and <c>&lt;/tool_call&gt;</c>, as
/// Hermes, Qwen and SmolLM write them, or as the whole answer (Llama, Mistral, whose markers are special tokens that no text shows). What
/// is no call stays text. Without tools every piece goes through as it is.
/// </summary>
/// <param name="tools">The functions of the request.</param>
/// <param name="several">Whether an answer may have several calls; else those after the first are left out.</param>
internal sealed class AnswerReader(IReadOnlyList<AIFunctionDeclaration> tools, bool several)
{
    private const string Begin = "<tool_call>";
    private const string End = "</tool_call>";
    private const string MistralMarker = "[TOOL_CALLS]"; // where a tokenizer has no token of it

    private string _held = "";
    private State _state = tools.Count > 0 ? State.Start : State.Plain;

    private enum State
    {
        Plain,
        Start,   // nothing but white space yet
        Text,
        Call,    // behind a marker
        Whole,   // the answer began as JSON
    }

    public bool HasCalls { get; private set; }

    /// <summary>Takes the next piece and gives what is certain.</summary>
    public IEnumerable<AIContent> Append(string piece)
    {
        if (_state == State.Plain)
            return [new TextContent(piece)];
        _held += piece;
        var contents = new List<AIContent>();
        if (_state == State.Start && _held.AsSpan().TrimStart() is { Length: > 0 } begun)
            _state = begun[0] is '{' or '[' ? State.Whole : State.Text;
        while (_state is State.Text or State.Call && Advance(contents))
        {
            // the next marker
        }

        return contents;
    }

    /// <summary>Gives what was held back, as nothing follows.</summary>
    public IEnumerable<AIContent> Complete()
    {
        var contents = new List<AIContent>();
        switch (_state)
        {
            case State.Call: // the end of the turn ended it
                AddCall(_held, isClosed: false, contents);
                break;
            case State.Whole when WholeCalls() is { } calls:
                AddCalls(calls, contents);
                break;
            case not State.Plain:
                AddText(_held, contents);
                break;
        }

        return contents;
    }

    /// <returns>Whether a marker was found, so that there may be another.</returns>
    private bool Advance(List<AIContent> contents)
    {
        var marker = _state == State.Text ? Begin : End;
        var index = _held.IndexOf(marker, StringComparison.Ordinal);
        if (index < 0)
        {
            if (_state == State.Text)
                GiveCertain(contents);
            return false;
        }

        var before = _held[..index];
        _held = _held[(index + marker.Length)..];
        if (_state == State.Text)
            AddText(before.TrimEnd(), contents);
        else
            AddCall(before, isClosed: true, contents);
        _state = _state == State.Text ? State.Call : State.Text;
        return true;
    }

    /// <summary>All but what may be the beginning of a marker, and the white space before one.</summary>
    private void GiveCertain(List<AIContent> contents)
    {
        var certain = _held.Length;
        for (var length = Math.Min(Begin.Length - 1, _held.Length); length > 0; length--)
        {
            if (_held.AsSpan(_held.Length - length).SequenceEqual(Begin.AsSpan(0, length)))
            {
                certain -= length;
                break;
            }
        }

        certain = _held.AsSpan(0, certain).TrimEnd().Length;
        AddText(_held[..certain], contents);
        _held = _held[certain..];
    }

    private void AddText(string text, List<AIContent> contents)
    {
        if (HasCalls && string.IsNullOrWhiteSpace(text))
            return; // between calls
        if (text.Length > 0)
            contents.Add(new TextContent(text));
    }

    private void AddCall(string body, bool isClosed, List<AIContent> contents)
    {
        if (ToolCall.Read(body) is { } calls)
            AddCalls(calls, contents);
        else
            contents.Add(new TextContent($"{Begin}{body}{(isClosed ? End : "")}"));
    }

    private void AddCalls(IReadOnlyList<FunctionCallContent> calls, List<AIContent> contents)
    {
        contents.AddRange(several ? calls : calls.Take(HasCalls ? 0 : 1));
        HasCalls = true;
    }

    /// <summary>Calls that are the whole answer; other JSON is an answer, too, so they must be of functions that there are.</summary>
    private IReadOnlyList<FunctionCallContent>? WholeCalls()
    {
        var text = _held.Trim();
        var calls = ToolCall.Read(text.StartsWith(MistralMarker, StringComparison.Ordinal) ? text[MistralMarker.Length..] : text);
        return calls?.All(call => tools.Any(tool => tool.Name == call.Name)) == true ? calls : null;
    }
}
