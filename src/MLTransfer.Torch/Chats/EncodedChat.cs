using System.Text;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Chats;

/// <summary>A chat as a model reads it, with the assistant's turns in it. Made by <see cref="ChatFormat.EncodeWithTurns"/>.</summary>
public sealed class EncodedChat
{
    private readonly ChatRendering _rendering;
    private readonly IReadOnlyList<(int Start, int End)> _offsets;
    private readonly IReadOnlyList<Range> _lastMarks;

    internal EncodedChat(
        ChatRendering rendering, TextEncoding encoding, IReadOnlyList<AssistantTurn> turns, IReadOnlyList<Range> lastMarks)
    {
        (_rendering, Ids, _offsets, Turns, _lastMarks) = (rendering, encoding.Ids, encoding.Offsets, turns, lastMarks);
    }

    /// <summary>The rendered text.</summary>
    public string Text => _rendering.Text;

    /// <summary>The token ids.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>The turns of the messages whose role is <c>assistant</c>.</summary>
    public IReadOnlyList<AssistantTurn> Turns { get; }

    /// <summary>
    /// Which tokens are the assistant's: those whose whole text is inside of a turn. Where a turn has no span, what the template marks with
    /// <c>{% generation %}</c> counts in its place.
    /// </summary>
    /// <param name="loss">Which turns.</param>
    /// <returns>One value a token; one is true at least.</returns>
    /// <exception cref="InvalidDataException">
    /// The chat has no turn of the assistant, or the template does not tell where one stands; the message says which and why.
    /// </exception>
    public bool[] GetMask(AssistantLoss loss)
    {
        if (Turns.Count == 0)
            throw new InvalidDataException("No message has the role 'assistant': there is nothing to learn.");
        var turns = loss == AssistantLoss.LastTurn ? Turns.TakeLast(1) : Turns;
        var spans = turns.FirstOrDefault(turn => turn.Span is null) is { } unknown ? Marks(unknown, loss)
            : turns.Select(turn => turn.Span!.Value);
        var mask = TokensIn(spans);
        return mask.Contains(true) ? mask : throw new InvalidDataException(
            $"Message {Turns[^1].Message}: no token lies within the assistant's {(loss == AssistantLoss.LastTurn ? "turn" : "turns")}.");
    }

    /// <summary>The text of tokens, each character once.</summary>
    internal string TextOf(bool[] mask)
    {
        var (text, end) = (new StringBuilder(), 0);
        for (var i = 0; i < mask.Length; i++)
        {
            if (!mask[i] || _offsets[i].End <= end)
                continue;
            text.Append(Text, Math.Max(end, _offsets[i].Start), _offsets[i].End - Math.Max(end, _offsets[i].Start));
            end = _offsets[i].End;
        }

        return text.ToString();
    }

    /// <summary>The tokens whose whole text is inside of a span.</summary>
    internal bool[] TokensIn(IEnumerable<Range> spans)
    {
        Range[] places = [.. spans];
        return [.. _offsets.Select(token =>
            Array.Exists(places, span => token.Start >= span.Start.Value && token.End <= span.End.Value && token.End > token.Start))];
    }

    private IReadOnlyList<Range> Marks(AssistantTurn unknown, AssistantLoss loss)
    {
        var marks = loss == AssistantLoss.LastTurn ? _lastMarks : _rendering.GenerationSpans;
        if (marks.Count > 0 && _rendering.LostGenerationLine is null)
            return marks;
        var reason = $"Message {unknown.Message}: the template does not tell which tokens are the assistant's: {unknown.Problem}";
        if (_rendering.LostGenerationLine is { } line)
            reason += $", and it changes what its generation block in line {line} has written";
        throw new InvalidDataException(loss == AssistantLoss.AllTurns && Turns[^1].Span is not null
            ? $"{reason}. {nameof(AssistantLoss)}.{nameof(AssistantLoss.LastTurn)} learns the last turn alone, which is known."
            : $"{reason}.");
    }
}
