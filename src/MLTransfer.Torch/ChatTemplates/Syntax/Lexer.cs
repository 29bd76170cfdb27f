using System.Globalization;

namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>
/// Cuts a template into tokens as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c>: the line end behind a statement or comment
/// and
/// the blanks before one at the start of a line are no text.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] s_operators =
        ["**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", ";", "(", ")", "[", "]", "{",
            "}"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _position;
    private int _line = 1;
    private bool _lineStarts = true;

    private Lexer(string source) => _source = source;

    public static List<Token> Read(string template)
    {
        var source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_position < _source.Length)
        {
            var begin = NextBegin(_position);
            if (begin < 0)
            {
                Add(TokenKind.Data, _source[_position..]);
                break;
            }
            var kind = _source[begin + 1];
            AddData(begin, kind == '{');
            Advance(begin + 2);
            if (At('-') || (At('+') && kind != '{'))
                Advance(_position + 1);
            if (kind == '#')
                SkipComment();
            else if (kind == '%' && WordEnd("raw") is { } raw)
                ReadRaw(raw);
            else
                ReadCode(kind == '%');
        }
        Add(TokenKind.End, "");
    }

    private int NextBegin(int from)
    {
        for (var at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
        return -1;
    }

    // The text before a tag, less what the tag's sign or its place in the line takes away.
    private void AddData(int begin, bool isPrint)
    {
        var text = _source[_position..begin];
        var sign = begin + 2 < _source.Length ? _source[begin + 2] : ' ';
        if (sign == '-')
            text = text.TrimEnd(Blanks.All);
        else if (sign != '+' && !isPrint)
        {
            var start = text.LastIndexOf('\n') + 1;
            if ((start > 0 || _lineStarts) && text.AsSpan(start).Trim(Blanks.All).IsEmpty)
                text = text[..start];
        }
        if (text.Length > 0)
            Add(TokenKind.Data, text);
        Advance(begin);
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
            throw Error("a comment is not closed: '#}' is missing");
        var sign = end > _position ? _source[end - 1] : ' ';
        Advance(end + 2);
        AfterTag(sign, trimsLineEnd: true);
    }

    // After "raw": where its tag ends, if this tag is one.
    private int? WordEnd(string word)
    {
        var at = SkipBlanks(_position);
        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0)
            return null;
        at = SkipBlanks(at + word.Length);
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 || string.CompareOrdinal(_source, at, "-%}", 0, 3) == 0
            || string.CompareOrdinal(_source, at, "+%}", 0, 3) == 0 ? at : null;
    }

    private void ReadRaw(int tagEnd)
    {
        var sign = _source[tagEnd];
        Advance(_source.IndexOf("%}", tagEnd, StringComparison.Ordinal) + 2);
        AfterTag(sign, trimsLineEnd: false);
        var start = _position;
        for (var at = _source.IndexOf("{%", start, StringComparison.Ordinal); at >= 0;
            at = _source.IndexOf("{%", at + 2, StringComparison.Ordinal))
        {
            var keep = (_position, _line);
            _position = at + 2;
            if (At('-') || At('+'))
                _position++;
            var end = WordEnd("endraw");
            (_position, _line) = keep;
            if (end is not { } found)
                continue;
            AddData(at, isPrint: false);
            sign = _source[found];
            Advance(_source.IndexOf("%}", found, StringComparison.Ordinal) + 2);
            AfterTag(sign, trimsLineEnd: true);
            return;
        }
        throw Error("a raw block is not closed: '{% endraw %}' is missing");
    }

    private void AfterTag(char sign, bool trimsLineEnd)
    {
        var end = _position;
        if (sign == '-')
            end = SkipBlanks(end);
        else if (trimsLineEnd && sign != '+' && At('\n'))
            end++;
        _lineStarts = end > _position && _source[end - 1] == '\n';
        Advance(end);
    }

    private void ReadCode(bool isStatement)
    {
        var (begin, end, close) = isStatement
            ? (TokenKind.StatementBegin, TokenKind.StatementEnd, "%}") : (TokenKind.PrintBegin, TokenKind.PrintEnd, "}}");
        Add(begin, "");
        var brackets = new Stack<char>();
        while (true)
        {
            Advance(SkipBlanks(_position));
            if (_position >= _source.Length)
                throw Error($"unexpected end of template, expected 'end of {(isStatement ? "statement block" : "print statement")}'");
            if (brackets.Count == 0)
            {
                var sign = _source[_position];
                var at = sign is '-' or '+' && (isStatement || sign == '-') ? _position + 1 : _position;
                if (string.CompareOrdinal(_source, at, close, 0, 2) == 0)
                {
                    Add(end, "");
                    var isSigned = at > _position;
                    Advance(at + 2);
                    AfterTag(isSigned ? sign : ' ', trimsLineEnd: isStatement);
                    return;
                }
            }
            ReadToken(brackets);
        }
    }

    private void ReadToken(Stack<char> brackets)
    {
        var first = _source[_position];
        if (first is '\'' or '"')
            ReadText(first);
        else if (char.IsAsciiDigit(first))
            ReadNumber();
        else if (IsNamePart(first))
        {
            var end = _position;
            while (end < _source.Length && IsNamePart(_source[end]))
                end++;
            Add(TokenKind.Name, _source[_position..end]);
            Advance(end);
        }
        else
        {
            var found = Array.Find(s_operators, text => string.CompareOrdinal(_source, _position, text, 0, text.Length) == 0)
                ?? throw Error($"unexpected character '{first}'");
            Balance(found[0], brackets);
            Add(TokenKind.Operator, found);
            Advance(_position + found.Length);
        }
    }

    private void Balance(char bracket, Stack<char> brackets)
    {
        if (bracket is '(' or '[' or '{')
            brackets.Push(bracket switch { '(' => ')', '[' => ']', _ => '}' });
        else if (bracket is ')' or ']' or '}')
        {
            if (brackets.Count == 0)
                throw Error($"unexpected '{bracket}'");
            var expected = brackets.Pop();
            if (expected != bracket)
                throw Error($"unexpected '{bracket}', expected '{expected}'");
        }
    }

    private void ReadText(char quote)
    {
        var end = _position + 1;
        while (end < _source.Length && _source[end] != quote)
            end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length)
            throw Error($"a text that begins with {quote} is not closed");
        Add(TokenKind.Text, StringLiteral.Read(_source.AsSpan((_position + 1)..end), _line));
        Advance(end + 1);
    }

    private void ReadNumber()
    {
        var end = _position;
        if (_source[end] == '0' && end + 1 < _source.Length && _source[end + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            end += 2;
            while (end < _source.Length && (char.IsAsciiHexDigit(_source[end]) || _source[end] == '_'))
                end++;
            Add(TokenKind.Integer, _source[_position..end].Replace("_", "", StringComparison.Ordinal));
            Advance(end);
            return;
        }
        end = SkipDigits(end);
        var isFloat = false;
        // What follows a point is an index, as in list.0, not a fraction.
        if (!(_tokens[^1].IsOperator(".")))
        {
            if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
                (end, isFloat) = (SkipDigits(end + 1), true);
            if (end < _source.Length && _source[end] is 'e' or 'E')
            {
                var exponent = end + 1;
                if (exponent < _source.Length && _source[exponent] is '+' or '-')
                    exponent++;
                if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
                    (end, isFloat) = (SkipDigits(exponent), true);
            }
        }
        var text = _source[_position..end].Replace("_", "", StringComparison.Ordinal);
        Add(isFloat ? TokenKind.Float : TokenKind.Integer, text);
        Advance(end);
    }

    private int SkipDigits(int at)
    {
        while (at < _source.Length && (char.IsAsciiDigit(_source[at])
            || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1]))))
            at++;
        return at;
    }

    private static bool IsNamePart(char value) => value == '_' || char.IsLetterOrDigit(value)
        || char.GetUnicodeCategory(value) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private int SkipBlanks(int at)
    {
        while (at < _source.Length && Blanks.Is(_source[at]))
            at++;
        return at;
    }

    private bool At(char value) => _position < _source.Length && _source[_position] == value;

    private void Add(TokenKind kind, string text) => _tokens.Add(new(kind, text, _line));

    private void Advance(int position)
    {
        _line += _source.AsSpan(_position, position - _position).Count('\n');
        _position = position;
    }

    private ChatTemplateException Error(string reason) => new(reason, _line);
}
