using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>
/// Writes emoji as their English names and drops variation selectors, by the rules of the Python package emoji: the longest way into the
/// tree of sequences counts, a shorter sequence only before a joiner that joins to none.
/// </summary>
internal sealed class EmojiNameNormalizer : INormalizer
{
    private const int Joiner = 0x200D;

    public void Normalize(AlignedText text)
    {
        if (Ascii.IsValid(text.Units))
            return;
        AlignedTextWriter writer = text.Rewrite(text.Length + 16);
        foreach ((int start, int end, string? name) in new Reader(text).Read())
        {
            if (name is null)
                writer.Copy(start, end - start);
            else
                writer.InsertAll(name, end - 1);
        }

        text.Take(writer);
    }

    /// <summary>A character of the text, or an emoji with its name: places in code points.</summary>
    private readonly record struct Token(int Start, int End, string? Name);

    private sealed class Reader
    {
        private readonly List<int> _codePoints = [];
        private readonly List<int> _units = []; // where each begins, and the text's end
        private readonly List<Token> _tokens = [];
        private readonly HashSet<int> _barriers = []; // joiners that join to no sequence
        private int _settled; // so many tokens are not read again

        public Reader(AlignedText text)
        {
            for (int unit = 0; unit < text.Length;)
            {
                Rune rune = text.RuneAt(unit);
                _codePoints.Add(rune.Value);
                _units.Add(unit);
                unit += rune.Utf16SequenceLength;
            }

            _units.Add(text.Length);
        }

        /// <summary>The tokens in order: places in units.</summary>
        public IEnumerable<(int Start, int End, string? Name)> Read()
        {
            for (int place = 0; place < _codePoints.Count;)
                place = Step(place);
            return _tokens.Select(token => (_units[token.Start], _units[token.End], token.Name));
        }

        private int Step(int place)
        {
            int codePoint = _codePoints[place];
            if (_barriers.Contains(place))
            {
                _tokens.Add(new Token(place, place + 1, null));
                return place + 1;
            }

            if (EmojiNames.Root.Next(codePoint) is { } begun)
            {
                (int end, string? name) = Follow(begun, place + 1);
                if (name is not null)
                {
                    _tokens.Add(new Token(place, end, name));
                    return end;
                }
            }
            else if (codePoint == Joiner && FollowsEmoji(place))
            {
                _barriers.Add(place);
                return GoBack();
            }
            else
            {
                _settled = _tokens.Count;
            }

            if (codePoint is not (0xFE0E or 0xFE0F))
                _tokens.Add(new Token(place, place + 1, null));
            return place + 1;
        }

        private (int End, string? Name) Follow(EmojiNames reached, int end)
        {
            while (end < _codePoints.Count && reached.Next(_codePoints[end]) is { } next && !_barriers.Contains(end))
                (reached, end) = (next, end + 1);
            return (end, reached.Name);
        }

        private bool FollowsEmoji(int place) => _tokens.Count > _settled && EmojiNames.Root.Next(_codePoints[place - 1]) is not null
            && EmojiNames.Has(CodePoints(_tokens[^1]));

        /// <summary>Takes the emoji before a joiner back, to read it again without the joiner; with a component what it changes.</summary>
        private int GoBack()
        {
            Token last = _tokens[^1];
            bool isComponent = last.End - last.Start == 1 && EmojiNames.IsComponent(_codePoints[last.Start]);
            Token first = isComponent && _tokens.Count - 1 > _settled ? _tokens[^2] : last;
            if (first != last && _codePoints[first.Start] == Joiner)
                first = last;
            _tokens.RemoveRange(_tokens.Count - (first == last ? 1 : 2), first == last ? 1 : 2);
            return first.Start;
        }

        private ReadOnlySpan<int> CodePoints(Token token) =>
            CollectionsMarshal.AsSpan(_codePoints)[token.Start..token.End];
    }
}
