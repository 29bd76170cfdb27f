using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>
/// Reads a regular expression of Oniguruma in its Ruby syntax, which tokenizer.json files are written for. Calls of groups, conditions
/// and other rare parts are refused by name.
/// </summary>
internal sealed class PatternParser
{
    private const int MaximumDepth = 200;
    private const int MaximumRepeat = 100_000; // Oniguruma's own limit

    private readonly string _pattern;
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private int _position;
    private int _groups;
    private int _depth;
    private bool _ignoresCase;
    private bool _dotTakesLineBreaks;
    private bool _isExtended;

    private PatternParser(string pattern) => _pattern = pattern;

    /// <exception cref="FormatException">The text is no regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses something that is refused.</exception>
    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        PatternNode node = parser.ParseChoice();
        return parser._position == pattern.Length ? node : throw parser.Malformed("')' without '('");
    }

    private PatternNode ParseChoice()
    {
        if (++_depth > MaximumDepth)
            throw Malformed($"more than {MaximumDepth} groups within each other");

        // Options that are set in the middle of a group hold to its end.
        (bool ignoresCase, bool dot, bool extended) = (_ignoresCase, _dotTakesLineBreaks, _isExtended);
        var options = ImmutableArray.CreateBuilder<PatternNode>();
        options.Add(ParseSequence());
        while (Take('|'))
            options.Add(ParseSequence());
        (_ignoresCase, _dotTakesLineBreaks, _isExtended) = (ignoresCase, dot, extended);
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options.ToImmutable());
    }

    private PatternNode ParseSequence()
    {
        var parts = ImmutableArray.CreateBuilder<PatternNode>();
        while (SkipBlanks() && _pattern[_position] is not ('|' or ')'))
        {
            if (ParseOptionsToTheEnd() is PatternNode rest)
            {
                parts.Add(rest);
                break;
            }

            parts.Add(ParseRepeats(ParseAtom()));
        }

        return parts.Count == 1 ? parts[0] : new PatternNode.Sequence(parts.ToImmutable());
    }

    /// <summary>Reads <c>(?i)</c> and what follows in its group: in Ruby's syntax all its options, alternatives included.</summary>
    private PatternNode? ParseOptionsToTheEnd()
    {
        if (EndOfOptions() is not int end || _pattern[end] == ':')
            return null;
        ReadOptions(end);
        return ParseChoice();
    }

    private PatternNode ParseAtom()
    {
        char character = _pattern[_position];
        switch (character)
        {
            case '(':
                return ParseGroup();
            case '[':
                _position++;
                return new PatternNode.Character(ParseClass());
            case '.':
                _position++;
                return new PatternNode.Character(_dotTakesLineBreaks ? CodePointSet.All : CodePointSet.Of('\n').Complement());
            case '^':
                _position++;
                return new PatternNode.Place(PlaceKind.LineStart);
            case '$':
                _position++;
                return new PatternNode.Place(PlaceKind.LineEnd);
            case '\\':
                return ParseEscape();
            case '*' or '+' or '?':
                throw Malformed($"'{character}' with nothing to repeat");
            default:
                return Literal(ReadRune().Value);
        }
    }

    private PatternNode ParseRepeats(PatternNode part)
    {
        while (SkipBlanks() && TryReadRepeat(out int minimum, out int? maximum, out bool isInterval))
        {
            bool isLazy = false;
            bool isPossessive = false;

            // In Ruby's syntax {n,m}+ repeats the interval, and so does {n}?.
            if (_position < _pattern.Length && _pattern[_position] == '?' && !(isInterval && minimum == maximum))
                (isLazy, _position) = (true, _position + 1);
            else if (_position < _pattern.Length && _pattern[_position] == '+' && !isInterval)
                (isPossessive, _position) = (true, _position + 1);

            if (part is PatternNode.Place)
                part = minimum == 0 ? PatternNode.Nothing : part;
            else
                part = new PatternNode.Repeat(part, minimum, maximum, isLazy);
            if (isPossessive)
                part = new PatternNode.Atomic(part);
        }

        return part;
    }

    private bool TryReadRepeat(out int minimum, out int? maximum, out bool isInterval)
    {
        isInterval = false;
        (minimum, maximum) = (0, null);
        switch (_pattern[_position])
        {
            case '*':
                break;
            case '+':
                minimum = 1;
                break;
            case '?':
                maximum = 1;
                break;
            case '{':
                isInterval = true;
                return TryReadInterval(out minimum, out maximum);
            default:
                return false;
        }

        _position++;
        return true;
    }

    /// <summary>Reads <c>{n}</c>, <c>{n,}</c>, <c>{,m}</c> or <c>{n,m}</c>; anything else is a brace of the text.</summary>
    private bool TryReadInterval(out int minimum, out int? maximum)
    {
        (minimum, maximum) = (0, null);
        int close = _pattern.IndexOf('}', _position);
        if (close < 0)
            return false;
        string[] bounds = _pattern[(_position + 1)..close].Split(',');
        if (bounds.Length > 2 || bounds.All(bound => bound.Length == 0) || !bounds.All(bound => bound.All(char.IsAsciiDigit)))
            return false;

        minimum = ReadCount(bounds[0]) ?? 0;
        maximum = ReadCount(bounds[^1]);
        if (maximum < minimum)
            (minimum, maximum) = (maximum.Value, minimum); // Oniguruma swaps them
        _position = close + 1;
        return true;
    }

    private int? ReadCount(string digits) => digits.Length == 0 ? null
        : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= MaximumRepeat ? count
        : throw Malformed($"a part repeated more than {MaximumRepeat} times");

    private PatternNode ParseGroup()
    {
        if (EndOfOptions() is int end)
        {
            // The options hold inside the group.
            (bool ignoresCase, bool dot, bool extended) = (_ignoresCase, _dotTakesLineBreaks, _isExtended);
            ReadOptions(end);
            PatternNode part = ParseChoice();
            (_ignoresCase, _dotTakesLineBreaks, _isExtended) = (ignoresCase, dot, extended);
            return Close(part);
        }

        _position++;
        if (!Take('?'))
            return ParseKeptGroup();
        if (Take(':'))
            return Close(ParseChoice());
        if (Take('='))
            return Close(new PatternNode.Look(ParseChoice(), IsBehind: false, IsNegative: false));
        if (Take('!'))
            return Close(new PatternNode.Look(ParseChoice(), IsBehind: false, IsNegative: true));
        if (Take('>'))
            return Close(new PatternNode.Atomic(ParseChoice()));
        if (Take("<="))
            return Close(new PatternNode.Look(ParseChoice(), IsBehind: true, IsNegative: false));
        if (Take("<!"))
            return Close(new PatternNode.Look(ParseChoice(), IsBehind: true, IsNegative: true));
        if (Take('#'))
        {
            int close = _pattern.IndexOf(')', _position);
            _position = close < 0 ? throw Malformed("a comment without end") : close + 1;
            return PatternNode.Nothing;
        }

        if (_position < _pattern.Length && _pattern[_position] is '<' or '\'')
        {
            _names[ReadName()] = _groups + 1;
            return ParseKeptGroup();
        }

        throw Refused($"'(?{(_position < _pattern.Length ? _pattern[_position] : ' ')}'");
    }

    private PatternNode ParseKeptGroup()
    {
        int number = ++_groups;
        return Close(new PatternNode.Group(ParseChoice(), number));
    }

    private string ReadName()
    {
        int close = _position < _pattern.Length && _pattern[_position] is '<' or '\''
            ? _pattern.IndexOf(_pattern[_position] == '<' ? '>' : '\'', _position + 1) : -1;
        if (close < 0)
            throw Malformed("a group's name without end");
        string name = _pattern[(_position + 1)..close];
        _position = close + 1;
        return name;
    }

    /// <summary>Whether a number after a backslash is that of a character: of three digits, and no group has it.</summary>
    private bool IsOctal() => _position + 3 < _pattern.Length
        && _pattern.AsSpan(_position + 1, 3).ContainsAnyExceptInRange('0', '7') is false;

    private PatternNode.BackReference ParseBackReference()
    {
        string name;
        if (_pattern[_position + 1] == 'k')
        {
            _position += 2;
            name = ReadName();
        }
        else
        {
            name = _pattern[_position + 1].ToString();
            _position += 2;
        }

        if (_ignoresCase)
            throw Refused("a back reference that ignores case");
        int number = _names.TryGetValue(name, out int named) ? named
            : int.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int given)
            ? given < 0 ? _groups + 1 + given : given : 0;
        return number >= 1 && number <= _groups ? new PatternNode.BackReference(number)
            : throw Malformed($"a reference to the group '{name}', which is not before it");
    }

    /// <summary>Where <c>(?imx-imx)</c> or <c>(?imx-imx:</c> ends: its ')' or ':'. Null for anything else.</summary>
    private int? EndOfOptions()
    {
        if (!_pattern.AsSpan(_position).StartsWith("(?"))
            return null;
        int end = _position + 2;
        while (end < _pattern.Length && _pattern[end] is 'i' or 'm' or 'x' or '-')
            end++;
        return end > _position + 2 && end < _pattern.Length && _pattern[end] is ')' or ':' ? end : null;
    }

    private void ReadOptions(int end)
    {
        bool value = true;
        foreach (char option in _pattern.AsSpan((_position + 2)..end))
        {
            if (option == '-')
                value = false;
            else if (option == 'i')
                _ignoresCase = value;
            else if (option == 'm')
                _dotTakesLineBreaks = value;
            else
                _isExtended = value;
        }

        _position = end + 1;
    }

    private PatternNode Close(PatternNode part) => Take(')') ? part : throw Malformed("'(' without ')'");

    private PatternNode ParseEscape()
    {
        if (_position + 1 == _pattern.Length)
            throw Malformed("'\\' at the end");
        switch (_pattern[_position + 1])
        {
            case 'A':
                return Place(PlaceKind.TextStart);
            case 'z':
                return Place(PlaceKind.TextEnd);
            case 'Z':
                return Place(PlaceKind.TextEndOrLastLineBreak);
            case 'G':
                return Place(PlaceKind.SearchStart);
            case 'b':
                return Place(PlaceKind.WordBoundary);
            case 'B':
                return Place(PlaceKind.NoWordBoundary);
            case 'N':
                _position += 2;
                return new PatternNode.Character(CodePointSet.Of('\n').Complement());
            case 'O':
                _position += 2;
                return new PatternNode.Character(CodePointSet.All);
            case 'R':
                _position += 2;
                return new PatternNode.Atomic(new PatternNode.Choice([
                    new PatternNode.Sequence([new PatternNode.Character(CodePointSet.Of('\r')),
                        new PatternNode.Character(CodePointSet.Of('\n'))]),
                    new PatternNode.Character(CodePointSet.Of([('\n', '\r'), (0x85, 0x85), (0x2028, 0x2029)]))]));
            case (>= '1' and <= '9') or 'k' when !IsOctal():
                return ParseBackReference();
            case 'w' or 'W':
                // Outside of a class Oniguruma counts Latin-1's raised digits and fractions as word characters.
                CodePointSet word = _pattern[_position + 1] == 'w' ? UnicodeProperties.LoneWord : UnicodeProperties.LoneWord.Complement();
                _position += 2;
                return new PatternNode.Character(word);
            case 'g' or 'K' or 'X' or 'y' or 'Y':
                throw Refused($"'\\{_pattern[_position + 1]}'");
        }

        (CodePointSet? set, int literal) = ReadEscape(isInClass: false);
        return set is not null ? new PatternNode.Character(set) : Literal(literal);
    }

    private PatternNode.Place Place(PlaceKind kind)
    {
        _position += 2;
        return new PatternNode.Place(kind);
    }

    private PatternNode.Character Literal(int codePoint) => new(Fold(CodePointSet.Of(codePoint)));

    private CodePointSet Fold(CodePointSet set) => _ignoresCase ? CaseFolding.Close(set) : set;

    /// <summary>Reads an escape that stands for a set or for one code point.</summary>
    private (CodePointSet? Set, int Literal) ReadEscape(bool isInClass)
    {
        _position++;
        Rune rune = ReadRune();
        switch (rune.Value)
        {
            case 'd':
                return (UnicodeProperties.DecimalDigits, 0);
            case 'D':
                return (UnicodeProperties.DecimalDigits.Complement(), 0);
            case 's':
                return (UnicodeProperties.WhiteSpace, 0);
            case 'S':
                return (UnicodeProperties.WhiteSpace.Complement(), 0);
            case 'w':
                return (UnicodeProperties.Word, 0);
            case 'W':
                return (UnicodeProperties.Word.Complement(), 0);
            case 'h':
                return (UnicodeProperties.ByName("xdigit"), 0);
            case 'H':
                return (UnicodeProperties.ByName("xdigit")!.Complement(), 0);
            case 'p' or 'P' when _position < _pattern.Length && _pattern[_position] == '{':
                return (ReadProperty(rune.Value == 'P'), 0);
            case 't':
                return (null, '\t');
            case 'n':
                return (null, '\n');
            case 'r':
                return (null, '\r');
            case 'f':
                return (null, '\f');
            case 'v':
                return (null, '\v');
            case 'a':
                return (null, '\a');
            case 'e':
                return (null, 0x1B);
            case 'b' when isInClass:
                return (null, '\b');
            case 'x':
                return (null, _position < _pattern.Length && _pattern[_position] == '{' ? ReadBracedHexadecimal() : ReadDigits(16, 2));
            case 'u':
                return (null, ReadDigits(16, 4, exactly: true));
            case >= '0' and <= '7':
                _position--;
                return (null, ReadDigits(8, 3));
            case 'c' or 'C' or 'M':
                throw Refused($"'\\{rune}'");
            default:
                return (null, rune.Value);
        }
    }

    private int ReadBracedHexadecimal()
    {
        int close = _pattern.IndexOf('}', _position);
        if (close < 0 || !int.TryParse(
            _pattern.AsSpan((_position + 1)..close), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || value is < 0 or > CodePointSet.MaximumCodePoint)
        {
            throw Malformed("'\\x{' without a code point");
        }

        _position = close + 1;
        return value;
    }

    private int ReadDigits(int radix, int most, bool exactly = false)
    {
        int value = 0;
        int count = 0;
        while (count < most && _position < _pattern.Length && char.IsAsciiHexDigit(_pattern[_position])
            && Convert.ToInt32(_pattern[_position].ToString(), 16) is var digit && digit < radix)
        {
            value = value * radix + digit;
            _position++;
            count++;
        }

        return exactly && count < most ? throw Malformed($"'\\u' without {most} digits") : value;
    }

    private CodePointSet ReadProperty(bool isNegative)
    {
        int close = _pattern.IndexOf('}', _position);
        if (close < 0)
            throw Malformed("'\\p{' without '}'");
        string name = _pattern[(_position + 1)..close];
        if (name.StartsWith('^'))
            (name, isNegative) = (name[1..], !isNegative);
        CodePointSet set = UnicodeProperties.ByName(name) ?? throw Refused($"the property '{name}'");
        _position = close + 1;
        return isNegative ? set.Complement() : set;
    }

    /// <summary>Reads a class after its opening bracket.</summary>
    private CodePointSet ParseClass()
    {
        if (++_depth > MaximumDepth)
            throw Malformed($"more than {MaximumDepth} classes within each other");
        bool isNegative = Take('^');
        CodePointSet? left = null;
        CodePointSet union = CodePointSet.Empty;
        bool isFirst = true;
        while (true)
        {
            if (_position == _pattern.Length)
                throw Malformed("'[' without ']'");
            if (!isFirst && Take(']'))
                break;
            if (isFirst && _pattern[_position] == ']' && _pattern.IndexOf(']', _position + 1) < 0)
                throw Malformed("an empty class");
            isFirst = false;
            if (Take("&&"))
                (left, union) = (left is null ? union : left.Intersect(union), CodePointSet.Empty);
            else
                union = union.Union(ParseClassMember());
        }

        _depth--;
        CodePointSet set = Fold(left is null ? union : left.Intersect(union));
        return isNegative ? set.Complement() : set;
    }

    private CodePointSet ParseClassMember()
    {
        if (_pattern[_position] == '[')
        {
            if (TryReadPosixClass() is CodePointSet posix)
                return posix;
            _position++;
            return ParseClass();
        }

        (CodePointSet? set, int first) = ReadClassCharacter();
        if (set is not null || _position + 1 >= _pattern.Length || _pattern[_position] != '-' || _pattern[_position + 1] == ']')
            return set ?? CodePointSet.Of(first);

        int dash = _position++;
        if (_pattern[_position] == '[')
        {
            // A dash before a nested class is itself.
            _position = dash;
            return CodePointSet.Of(first);
        }

        (CodePointSet? end, int last) = ReadClassCharacter();
        if (end is not null)
            return end.Union(CodePointSet.Of([(first, first), ('-', '-')]));
        return last >= first ? CodePointSet.Of([(first, last)]) : throw Malformed("a range of a class that ends before it begins");
    }

    private (CodePointSet?, int) ReadClassCharacter() =>
        _pattern[_position] == '\\'
            ? _position + 1 < _pattern.Length ? ReadEscape(isInClass: true) : throw Malformed("'\\' at the end")
            : (null, ReadRune().Value);

    private CodePointSet? TryReadPosixClass()
    {
        if (!_pattern.AsSpan(_position).StartsWith("[:"))
            return null;
        int close = _pattern.IndexOf(":]", _position + 2, StringComparison.Ordinal);
        if (close < 0)
            return null;
        string name = _pattern[(_position + 2)..close];
        bool isNegative = name.StartsWith('^');
        if (UnicodeProperties.ByName(isNegative ? name[1..] : name) is not CodePointSet set)
            return null;
        _position = close + 2;
        return isNegative ? set.Complement() : set;
    }

    private Rune ReadRune()
    {
        Rune.DecodeFromUtf16(_pattern.AsSpan(_position), out Rune rune, out int units);
        _position += units;
        return rune;
    }

    /// <summary>Skips what an extended pattern leaves out; false at the end of the pattern.</summary>
    private bool SkipBlanks()
    {
        while (_isExtended && _position < _pattern.Length)
        {
            if (_pattern[_position] == '#')
            {
                int end = _pattern.IndexOf('\n', _position);
                _position = end < 0 ? _pattern.Length : end + 1;
            }
            else if (char.IsWhiteSpace(_pattern[_position]))
            {
                _position++;
            }
            else
            {
                break;
            }
        }

        return _position < _pattern.Length;
    }

    private bool Take(char character)
    {
        if (_position == _pattern.Length || _pattern[_position] != character)
            return false;
        _position++;
        return true;
    }

    private bool Take(string text)
    {
        if (!_pattern.AsSpan(_position).StartsWith(text))
            return false;
        _position += text.Length;
        return true;
    }

    private FormatException Malformed(string what) => new($"The regular expression '{_pattern}' has {what} (at {_position}).");

    private NotSupportedException Refused(string what) =>
        new($"The regular expression '{_pattern}' uses {what}, which is not supported.");
}
