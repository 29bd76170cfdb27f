using System.Buffers;
using System.Text;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Finds added tokens in text, the leftmost first and of those the longest, and applies their flags, with the results of
/// `AddedVocabulary` of Hugging Face's tokenizers.
/// </summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<string> _contents;
    private readonly Dictionary<string, (AddedToken Token, int Id)>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly Dictionary<char, int[]> _lengthsByFirstCharacter;

    private AddedTokenMatcher(Dictionary<string, (AddedToken, int)> tokens)
    {
        _contents = SearchValues.Create([.. tokens.Keys], StringComparison.Ordinal);
        _tokens = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengthsByFirstCharacter = tokens.Keys.GroupBy(content => content[0]).ToDictionary(
            group => group.Key,
            group => group.Select(content => content.Length).Distinct().OrderDescending().ToArray());
    }

    /// <summary>A matcher for the tokens under the texts to look for, or null where there are none.</summary>
    public static AddedTokenMatcher? Create(Dictionary<string, (AddedToken Token, int Id)> tokens) =>
        tokens.Count == 0 ? null : new AddedTokenMatcher(tokens);

    /// <summary>Cuts a text into pieces: added tokens, with their id, and the text between them, with id -1.</summary>
    /// <param name="matcher">What to look for; null makes the whole text one piece.</param>
    /// <param name="text">The text.</param>
    /// <param name="leavesSpecial">Whether special tokens are left in the text.</param>
    public static Pieces Split(AddedTokenMatcher? matcher, ReadOnlySpan<char> text, bool leavesSpecial) =>
        new(matcher, text, leavesSpecial);

    private bool TryFind(ReadOnlySpan<char> text, out Range range, out (AddedToken Token, int Id) found)
    {
        int index = text.IndexOfAny(_contents);
        if (index >= 0)
        {
            foreach (int length in _lengthsByFirstCharacter[text[index]])
            {
                if (length <= text.Length - index && _tokens.TryGetValue(text.Slice(index, length), out found))
                {
                    range = index..(index + length);
                    return true;
                }
            }
        }

        (range, found) = (default, default);
        return false;
    }

    /// <summary>The pieces of one text, in order.</summary>
    public ref struct Pieces(AddedTokenMatcher? matcher, ReadOnlySpan<char> text, bool leavesSpecial)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private int _searchFrom;
        private int _pieceStart;
        private int _pendingId = -1;
        private int _pendingStart;
        private int _pendingEnd;

        /// <summary>The first unit of the current piece.</summary>
        public int Start { get; private set; }

        /// <summary>One past its last.</summary>
        public int End { get; private set; }

        /// <summary>The id of the added token that the current piece is, or -1 for ordinary text.</summary>
        public int Id { get; private set; }

        public readonly Pieces GetEnumerator() => this;

        public readonly Pieces Current => this;

        public bool MoveNext()
        {
            if (_pendingId >= 0)
                return EmitPending();

            while (matcher is not null && matcher.TryFind(_text[_searchFrom..], out Range range, out (AddedToken Token, int Id) found))
            {
                (AddedToken token, int id) = found;
                int start = _searchFrom + range.Start.Value;
                int end = _searchFrom + range.End.Value;
                _searchFrom = end;
                if (leavesSpecial && token.Special)
                    continue;
                if (token.SingleWord && (TouchesWordBefore(start) || TouchesWordAfter(end)))
                    continue;

                if (token.LeftStrip)
                    start = Math.Max(_text[..start].TrimEnd().Length, _pieceStart);
                if (token.RightStrip)
                    end = _text.Length - _text[end..].TrimStart().Length;

                (_pendingId, _pendingStart, _pendingEnd) = (id, start, end);
                return _pieceStart < start ? Emit(_pieceStart, start, -1) : EmitPending();
            }

            _searchFrom = _text.Length;
            return _pieceStart < _text.Length && Emit(_pieceStart, _pieceStart = _text.Length, -1);
        }

        private bool EmitPending()
        {
            Emit(_pendingStart, _pendingEnd, _pendingId);
            _pieceStart = _pendingEnd;
            _pendingId = -1;
            return true;
        }

        private bool Emit(int start, int end, int id)
        {
            (Start, End, Id) = (start, end, id);
            return true;
        }

        private readonly bool TouchesWordBefore(int start)
        {
            if (start == 0)
                return false;
            Rune.DecodeLastFromUtf16(_text[..start], out Rune rune, out _);
            return CharacterKinds.IsWord(rune);
        }

        private readonly bool TouchesWordAfter(int end)
        {
            if (end == _text.Length)
                return false;
            Rune.DecodeFromUtf16(_text[end..], out Rune rune, out _);
            return CharacterKinds.IsWord(rune);
        }
    }
}
