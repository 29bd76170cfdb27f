using Microsoft.Extensions.AI;
using MLTransfer.Torch.Chats;

namespace MLTransfer.Extensions.AI;

/// <summary>
/// Finds calls of functions in what a model writes, while it comes: between the markers of its chat template, or as the whole answer, as
/// Llama writes them and Mistral, whose marker is a special token that no text shows. What is no call stays text. Without tools every piece
/// goes through as it is.
/// </summary>
/// <param name="tools">The functions of the request.</param>
/// <param name="markers">What stands around calls; null for those of Hermes, Qwen and SmolLM.</param>
/// <param name="several">Whether an answer may have several calls; else those after the first are left out.</param>
internal sealed class AnswerReader(IReadOnlyList<AIFunctionDeclaration> tools, CallMarkers? markers, bool several)
{
    private readonly CallMarkers _markers = markers ?? new("<tool_call>", "</tool_call>");
    private string _held = "";
    private State _state = tools.Count > 0 ? State.Start : State.Plain;

    private enum State
    {
        Plain,
        Start,   // it is not told yet how the answer begins
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
        if (_state == State.Start)
            _state = Beginning(_held.TrimStart());
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

    private State Beginning(string text)
    {
        if (text.Length == 0 || (text.Length < _markers.Begin.Length && _markers.Begin.StartsWith(text, StringComparison.Ordinal)))
            return State.Start; // a marker may begin as JSON does
        return text[0] is '{' or '[' && (_markers.Begin.Length == 0 || !text.StartsWith(_markers.Begin, StringComparison.Ordinal))
            ? State.Whole : State.Text;
    }

    /// <returns>Whether a marker was found, so that there may be another.</returns>
    private bool Advance(List<AIContent> contents)
    {
        var marker = _state == State.Text ? _markers.Begin : _markers.End;
        var index = marker.Length == 0 ? -1 : _held.IndexOf(marker, StringComparison.Ordinal);
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
        for (var length = Math.Min(_markers.Begin.Length - 1, _held.Length); length > 0; length--)
        {
            if (_held.AsSpan(_held.Length - length).SequenceEqual(_markers.Begin.AsSpan(0, length)))
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
            contents.Add(new TextContent($"{_markers.Begin}{body}{(isClosed ? _markers.End : "")}"));
    }

    private void AddCalls(IReadOnlyList<FunctionCallContent> calls, List<AIContent> contents)
    {
        contents.AddRange(several ? calls : calls.Take(HasCalls ? 0 : 1));
        HasCalls = true;
    }

    /// <summary>Calls that are the whole answer; other JSON is an answer, too, so they must be of functions that there are.</summary>
    private IReadOnlyList<FunctionCallContent>? WholeCalls()
    {
        var calls = ToolCall.Read(_held);
        return calls?.All(call => tools.Any(tool => tool.Name == call.Name)) == true ? calls : null;
    }
}
