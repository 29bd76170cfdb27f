namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>Jinja's statements, with <c>break</c>, <c>continue</c> and <c>generation</c>.</summary>
internal sealed class TemplateParser
{
    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private readonly HashSet<string> _blocks = [];
    private int _loops;

    private TemplateParser(string template)
    {
        _tokens = new(Lexer.Read(template));
        _expressions = new(_tokens);
    }

    public static Block Parse(string template)
    {
        var parser = new TemplateParser(template);
        return parser.ReadBlock([]);
    }

    // Stands behind the name of the end tag, which the caller reads.
    private Block ReadBlock(string[] ends, string? opener = null)
    {
        _tokens.Enter();
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.End when ends.Length == 0:
                    _tokens.Leave();
                    return new(statements);
                case TokenKind.End:
                    throw _tokens.Error($"unexpected end of template: the block '{opener}' is not closed by '{ends[^1]}'");
                case TokenKind.Data:
                    statements.Add(new TextOutput(token.Text, token.Line));
                    break;
                case TokenKind.PrintBegin:
                    statements.Add(new ValueOutput(_expressions.ReadTuple(), token.Line));
                    _tokens.Expect(TokenKind.PrintEnd, "end of print statement");
                    break;
                case TokenKind.StatementBegin when _tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Text):
                    _tokens.Leave();
                    return new(statements);
                default:
                    statements.Add(ReadStatement());
                    break;
            }
        }
    }

    private Block ReadBody(string end, string opener)
    {
        EndTag();
        var body = ReadBlock([end], opener);
        _tokens.Next();
        EndTag();
        return body;
    }

    private void EndTag() => _tokens.Expect(TokenKind.StatementEnd, "end of statement block");

    private Statement ReadStatement()
    {
        var tag = _tokens.Expect(TokenKind.Name, "a tag's name");
        switch (tag.Text)
        {
            case "if":
                return ReadIf(tag.Line);
            case "for":
                return ReadFor(tag.Line);
            case "set":
                return ReadSet(tag.Line);
            case "macro":
                return ReadMacro(tag.Line);
            case "call":
                return ReadCall(tag.Line);
            case "filter":
                var filter = _expressions.ReadFilters(null, startsWithName: true);
                return new FilterBlock(filter, ReadBody("endfilter", "filter"), tag.Line);
            case "with":
                return ReadWith(tag.Line);
            case "block":
                return ReadNamedBlock(tag.Line);
            case "autoescape":
                var enabled = _expressions.Read();
                return new EscapingBlock(enabled, ReadBody("endautoescape", "autoescape"), tag.Line);
            case "generation":
                return new GenerationBlock(WithoutLoop(() => ReadBody("endgeneration", "generation")), tag.Line);
            case "break" or "continue":
                if (_loops == 0)
                    throw new ChatTemplateException($"'{tag.Text}' stands outside of a loop", tag.Line);
                EndTag();
                return new LoopExit(tag.Text == "continue", tag.Line);
            case "include" or "import" or "from" or "extends":
                throw new ChatTemplateException($"'{tag.Text}' needs other templates, and a chat template has none", tag.Line);
            default:
                throw new ChatTemplateException($"the tag '{tag.Text}' is unknown, or not expected here", tag.Line);
        }
    }

    private IfStatement ReadIf(int line)
    {
        _tokens.Enter();
        var test = _expressions.ReadTuple(withConditional: false);
        EndTag();
        var then = ReadBlock(["elif", "else", "endif"], "if");
        var next = _tokens.Next();
        Block otherwise;
        if (next.Text == "elif")
            otherwise = new([ReadIf(next.Line)]);
        else
        {
            otherwise = next.Text == "else" ? ReadBody("endif", "if") : Block.Empty;
            if (next.Text == "endif")
                EndTag();
        }
        _tokens.Leave();
        return new(test, then, otherwise, line);
    }

    private ForStatement ReadFor(int line)
    {
        var target = ReadTarget("in", allowsNamespace: false);
        if (Names(target).Contains("loop"))
            throw new ChatTemplateException("'loop' is the loop's own variable: nothing can be assigned to it", line);
        if (!_tokens.SkipName("in"))
            throw _tokens.Expected("'in'");
        var items = _expressions.ReadTuple(withConditional: false, end: "recursive");
        var filter = _tokens.SkipName("if") ? _expressions.Read() : null;
        var isRecursive = _tokens.SkipName("recursive");
        EndTag();
        _loops++;
        var body = ReadBlock(["else", "endfor"], "for");
        _loops--;
        var otherwise = Block.Empty;
        if (_tokens.Next().Text == "else")
            otherwise = ReadBody("endfor", "for");
        else
            EndTag();
        return new(target, items, filter, isRecursive, body, otherwise, line);
    }

    private Statement ReadSet(int line)
    {
        var target = ReadTarget("=", allowsNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            var value = _expressions.ReadTuple();
            EndTag();
            return new Assignment(target, value, line);
        }
        var filter = _tokens.Current.IsOperator("|") ? _expressions.ReadFilters(null, startsWithName: false) : null;
        return new BlockAssignment(target, filter, ReadBody("endset", "set"), line);
    }

    private MacroDefinition ReadMacro(int line)
    {
        var name = _tokens.Expect(TokenKind.Name, "a macro's name").Text;
        var (parameters, defaults) = ReadSignature();
        return new(name, ReadMacroBody(parameters, defaults, "endmacro", "macro"), line);
    }

    private CallBlock ReadCall(int line)
    {
        var (parameters, defaults) = _tokens.Current.IsOperator("(") ? ReadSignature() : ([], []);
        var call = _expressions.Read() as Call ?? throw new ChatTemplateException("expected a call behind 'call'", line);
        return new(call, ReadMacroBody(parameters, defaults, "endcall", "call"), line);
    }

    private MacroBody ReadMacroBody(List<string> parameters, List<Expression> defaults, string end, string opener)
    {
        var outer = _tokens.Names;
        _tokens.Names = [];
        var body = WithoutLoop(() => ReadBody(end, opener));
        var used = _tokens.Names;
        outer.UnionWith(used);
        _tokens.Names = outer;
        return new(parameters, defaults, body, used.Contains("varargs"), used.Contains("kwargs"), used.Contains("caller"));
    }

    private (List<string> Parameters, List<Expression> Defaults) ReadSignature()
    {
        var (parameters, defaults) = (new List<string>(), new List<Expression>());
        _tokens.ExpectOperator("(");
        while (!_tokens.Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
                _tokens.ExpectOperator(",");
            parameters.Add(_tokens.Expect(TokenKind.Name, "a parameter's name").Text);
            if (_tokens.SkipOperator("="))
                defaults.Add(_expressions.Read());
            else if (defaults.Count > 0)
                throw _tokens.Error("a parameter without a default follows one with a default");
        }
        _tokens.ExpectOperator(")");
        return (parameters, defaults);
    }

    private WithBlock ReadWith(int line)
    {
        var values = new List<(Target, Expression)>();
        while (_tokens.Current.Kind != TokenKind.StatementEnd)
        {
            if (values.Count > 0)
                _tokens.ExpectOperator(",");
            var target = ReadSingleTarget(allowsNamespace: false);
            _tokens.ExpectOperator("=");
            values.Add((target, _expressions.Read()));
        }
        return new(values, ReadBody("endwith", "with"), line);
    }

    private NamedBlock ReadNamedBlock(int line)
    {
        var name = _tokens.Expect(TokenKind.Name, "a block's name").Text;
        if (!_blocks.Add(name))
            throw new ChatTemplateException($"the block '{name}' is defined twice", line);
        EndTag();
        var body = WithoutLoop(() => ReadBlock(["endblock"], "block"));
        _tokens.Next();
        _tokens.SkipName(name);
        EndTag();
        return new(body, line);
    }

    private Block WithoutLoop(Func<Block> read)
    {
        var loops = _loops;
        _loops = 0;
        var block = read();
        _loops = loops;
        return block;
    }

    private Target ReadTarget(string end, bool allowsNamespace)
    {
        var line = _tokens.Current.Line;
        List<Target> items = [ReadSingleTarget(allowsNamespace)];
        var isTuple = false;
        while (_tokens.SkipOperator(","))
        {
            isTuple = true;
            if (_tokens.Current.IsName(end) || _tokens.Current.IsOperator(end))
                break;
            items.Add(ReadSingleTarget(allowsNamespace));
        }
        return isTuple ? new TupleTarget(items, line) : items[0];
    }

    private Target ReadSingleTarget(bool allowsNamespace)
    {
        _tokens.Enter();
        Target target;
        if (_tokens.SkipOperator("("))
        {
            target = ReadTarget(")", allowsNamespace);
            _tokens.ExpectOperator(")");
        }
        else
        {
            var name = _tokens.Expect(TokenKind.Name, "a variable's name");
            if (name.Text is "true" or "false" or "none" or "True" or "False" or "None")
                throw new ChatTemplateException($"nothing can be assigned to '{name.Text}'", name.Line);
            target = allowsNamespace && _tokens.SkipOperator(".")
                ? new NamespaceTarget(name.Text, _tokens.Expect(TokenKind.Name, "an attribute's name").Text, name.Line)
                : new NameTarget(name.Text, name.Line);
        }
        _tokens.Leave();
        return target;
    }

    private static IEnumerable<string> Names(Target target) => target switch
    {
        NameTarget name => [name.Name],
        TupleTarget tuple => tuple.Items.SelectMany(Names),
        _ => [],
    };
}
