using System.Globalization;
using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>Jinja's expressions, by its order of operators: <c>~</c> binds tighter than <c>+</c>, filters tighter than a sign.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    public Expression Read()
    {
        tokens.Enter();
        var value = ReadOr();
        while (tokens.Current.IsName("if"))
        {
            var line = tokens.Next().Line;
            var test = ReadOr();
            value = new Conditional(test, value, tokens.SkipName("else") ? Read() : null, line);
        }
        tokens.Leave();
        return value;
    }

    /// <summary>One expression, or several with commas between them.</summary>
    public Expression ReadTuple(bool withConditional = true, string? end = null, bool isBracketed = false)
    {
        var line = tokens.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (IsTupleEnd(end))
                break;
            items.Add(withConditional ? Read() : ReadOr());
            if (!tokens.Current.IsOperator(","))
                break;
            isTuple = true;
        }
        if (isTuple)
            return new TupleLiteral(items, line);
        return items.Count > 0 ? items[0] : isBracketed ? new TupleLiteral([], line) : throw tokens.Expected("an expression");
    }

    public CallArguments ReadArguments()
    {
        tokens.ExpectOperator("(");
        var (positional, named) = (new List<Expression>(), new List<(string, Expression)>());
        var (rest, namedRest) = ((Expression?)null, (Expression?)null);
        for (var isFirst = true; !tokens.Current.IsOperator(")"); isFirst = false)
        {
            if (!isFirst)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator(")"))
                    break;
            }
            if (tokens.SkipOperator("*"))
                rest = rest is null && namedRest is null ? Read() : throw tokens.Error("invalid arguments of a call");
            else if (tokens.SkipOperator("**"))
                namedRest = namedRest is null ? Read() : throw tokens.Error("invalid arguments of a call");
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Ahead.IsOperator("="))
            {
                var name = tokens.Next().Text;
                tokens.Next();
                named.Add((name, Read()));
            }
            else if (named.Count == 0 && rest is null && namedRest is null)
                positional.Add(Read());
            else
                throw tokens.Error("an argument without a name follows one with a name");
        }
        tokens.ExpectOperator(")");
        return new(positional, named, rest, namedRest);
    }

    /// <summary>Filters from a <c>|</c> on, or from a filter's name on for a block's text.</summary>
    public FilterUse ReadFilters(Expression? target, bool startsWithName)
    {
        while (startsWithName || tokens.Current.IsOperator("|"))
        {
            if (!startsWithName)
                tokens.Next();
            startsWithName = false;
            var line = tokens.Current.Line;
            var name = ReadDottedName("a filter's name");
            target = new FilterUse(target, name, tokens.Current.IsOperator("(") ? ReadArguments() : CallArguments.None, line);
        }
        return (FilterUse)target!;
    }

    private bool IsTupleEnd(string? end) => tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.StatementEnd
        || tokens.Current.IsOperator(")") || (end is not null && tokens.Current.IsName(end));

    private Expression ReadOr()
    {
        var left = ReadAnd();
        while (tokens.Current.IsName("or"))
            left = new Logical(IsAnd: false, left, Line: tokens.Next().Line, Right: ReadAnd());
        return left;
    }

    private Expression ReadAnd()
    {
        var left = ReadNot();
        while (tokens.Current.IsName("and"))
            left = new Logical(IsAnd: true, left, Line: tokens.Next().Line, Right: ReadNot());
        return left;
    }

    private Expression ReadNot()
    {
        if (!tokens.Current.IsName("not"))
            return ReadComparison();
        tokens.Enter();
        var line = tokens.Next().Line;
        var value = new Unary("not", ReadNot(), line);
        tokens.Leave();
        return value;
    }

    private Expression ReadComparison()
    {
        var line = tokens.Current.Line;
        var first = ReadSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
                rest.Add((tokens.Next().Text, ReadSum()));
            else if (tokens.SkipName("in"))
                rest.Add(("in", ReadSum()));
            else if (tokens.Current.IsName("not") && tokens.Ahead.IsName("in"))
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", ReadSum()));
            }
            else
                return rest.Count > 0 ? new Comparison(first, rest, line) : first;
        }
    }

    private Expression ReadSum()
    {
        var left = ReadConcatenation();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "+" or "-" })
        {
            var sign = tokens.Next();
            left = new Binary(sign.Text, left, ReadConcatenation(), sign.Line);
        }
        return left;
    }

    private Expression ReadConcatenation()
    {
        var line = tokens.Current.Line;
        List<Expression> items = [ReadProduct()];
        while (tokens.SkipOperator("~"))
            items.Add(ReadProduct());
        return items.Count > 1 ? new Concatenation(items, line) : items[0];
    }

    private Expression ReadProduct()
    {
        var left = ReadPower();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" })
        {
            var sign = tokens.Next();
            left = new Binary(sign.Text, left, ReadPower(), sign.Line);
        }
        return left;
    }

    private Expression ReadPower()
    {
        var left = ReadUnary(withFilters: true);
        while (tokens.Current.IsOperator("**"))
        {
            var line = tokens.Next().Line;
            left = new Binary("**", left, ReadUnary(withFilters: true), line);
        }
        return left;
    }

    private Expression ReadUnary(bool withFilters)
    {
        tokens.Enter();
        Expression value;
        if (tokens.Current is { Kind: TokenKind.Operator, Text: "-" or "+" })
        {
            var sign = tokens.Next();
            value = new Unary(sign.Text, ReadUnary(withFilters: false), sign.Line);
        }
        else
            value = ReadPostfixes(ReadPrimary());
        if (withFilters)
            value = ReadFiltersAndTests(value);
        tokens.Leave();
        return value;
    }

    private Expression ReadPrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                if (token.Text is "true" or "True" or "false" or "False")
                    return new Constant(token.Text is "true" or "True", token.Line);
                if (token.Text is "none" or "None")
                    return new Constant(null, token.Line);
                tokens.Names.Add(token.Text);
                return new NameReference(token.Text, token.Line);
            case TokenKind.Text:
                var text = tokens.Next().Text;
                while (tokens.Current.Kind == TokenKind.Text)
                    text += tokens.Next().Text;
                return new Constant(text, token.Line);
            case TokenKind.Integer:
                tokens.Next();
                return new Constant(Integer(token), token.Line);
            case TokenKind.Float:
                tokens.Next();
                return new Constant(double.Parse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture), token.Line);
            case TokenKind.Operator when token.Text == "(":
                tokens.Next();
                var inner = ReadTuple(isBracketed: true);
                tokens.ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return ReadList();
            case TokenKind.Operator when token.Text == "{":
                return ReadDictionary();
            default:
                throw tokens.Expected("an expression");
        }
    }

    private BigInteger Integer(Token token)
    {
        if (token.Text.Length > 1 && !char.IsAsciiDigit(token.Text[1]))
        {
            var radix = char.ToLowerInvariant(token.Text[1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
            var value = BigInteger.Zero;
            foreach (var digit in token.Text.AsSpan(2))
            {
                if (Convert.ToInt32(digit.ToString(), 16) >= radix)
                    throw tokens.Error($"'{token.Text}' is not a number");
                value = (value * radix) + Convert.ToInt32(digit.ToString(), 16);
            }
            return value;
        }
        if (token.Text.Length > 4_000)
            throw tokens.Error("a number has more than 4,000 digits");
        return BigInteger.Parse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private ListLiteral ReadList()
    {
        var line = tokens.Next().Line;
        var items = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator("]"))
                    break;
            }
            items.Add(Read());
        }
        tokens.ExpectOperator("]");
        return new(items, line);
    }

    private DictionaryLiteral ReadDictionary()
    {
        var line = tokens.Next().Line;
        var items = new List<(Expression, Expression)>();
        while (!tokens.Current.IsOperator("}"))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator("}"))
                    break;
            }
            var key = Read();
            tokens.ExpectOperator(":");
            items.Add((key, Read()));
        }
        tokens.ExpectOperator("}");
        return new(items, line);
    }

    private Expression ReadPostfixes(Expression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            if (tokens.SkipOperator("."))
            {
                var member = tokens.Next();
                value = member.Kind switch
                {
                    TokenKind.Name => new AttributeAccess(value, member.Text, line),
                    TokenKind.Integer => new ItemAccess(value, new Constant(Integer(member), line), line),
                    _ => throw new ChatTemplateException($"expected a name or number behind '.', got '{member.Description}'", line),
                };
            }
            else if (tokens.SkipOperator("["))
                value = ReadSubscript(value, line);
            else if (tokens.Current.IsOperator("("))
                value = new Call(value, ReadArguments(), line);
            else
                return value;
        }
    }

    private Expression ReadSubscript(Expression target, int line)
    {
        Expression? Part() => tokens.Current is { Kind: TokenKind.Operator, Text: ":" or "]" or "," } ? null : Read();
        var start = Part();
        if (tokens.SkipOperator(":"))
        {
            var stop = Part();
            var step = tokens.SkipOperator(":") ? Part() : null;
            tokens.ExpectOperator("]");
            return new SliceAccess(target, start, stop, step, line);
        }
        var index = start ?? throw tokens.Expected("an index");
        if (tokens.Current.IsOperator(","))
        {
            List<Expression> items = [index];
            while (tokens.SkipOperator(","))
                items.Add(Read());
            index = new TupleLiteral(items, line);
        }
        tokens.ExpectOperator("]");
        return new ItemAccess(target, index, line);
    }

    private Expression ReadFiltersAndTests(Expression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            if (tokens.Current.IsOperator("|"))
                value = ReadFilters(value, startsWithName: false);
            else if (tokens.SkipName("is"))
                value = ReadTest(value, line);
            else if (tokens.Current.IsOperator("("))
                value = new Call(value, ReadArguments(), line);
            else
                return value;
        }
    }

    private Expression ReadTest(Expression value, int line)
    {
        var isNegated = tokens.SkipName("not");
        var name = ReadDottedName("a test's name");
        var arguments = CallArguments.None;
        if (tokens.Current.IsOperator("("))
            arguments = ReadArguments();
        else if (tokens.Current.Kind is TokenKind.Text or TokenKind.Integer or TokenKind.Float
            || tokens.Current is { Kind: TokenKind.Name, Text: not ("else" or "or" or "and" or "is") }
            || tokens.Current.IsOperator("[") || tokens.Current.IsOperator("{"))
            arguments = new([ReadPostfixes(ReadPrimary())], [], null, null);
        else if (tokens.Current.IsName("is"))
            throw tokens.Error("tests cannot be chained with 'is'");
        var test = new TestUse(value, name, arguments, line);
        return isNegated ? new Unary("not", test, line) : test;
    }

    private string ReadDottedName(string description)
    {
        var name = tokens.Expect(TokenKind.Name, description).Text;
        while (tokens.SkipOperator("."))
            name += "." + tokens.Expect(TokenKind.Name, description).Text;
        return name;
    }
}
