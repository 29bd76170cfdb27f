using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>The tokens in their order, and how deep the parser stands in them.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private int _index;
    private int _depth;

    public Token Current => tokens[_index];

    public Token Ahead => tokens[Math.Min(_index + 1, tokens.Count - 1)];

    public HashSet<string> Names { get; set; } = [];

    public Token Next()
    {
        var token = tokens[_index];
        if (token.Kind != TokenKind.End)
            _index++;
        return token;
    }

    public bool SkipOperator(string text) => Skip(Current.IsOperator(text));

    public bool SkipName(string text) => Skip(Current.IsName(text));

    public void ExpectOperator(string text)
    {
        if (!SkipOperator(text))
            throw Expected($"'{text}'");
    }

    public Token Expect(TokenKind kind, string description) => Current.Kind == kind ? Next() : throw Expected(description);

    public ChatTemplateException Expected(string description) => Error($"expected {description}, got '{Current.Description}'");

    public ChatTemplateException Error(string reason) => new(reason, Current.Line);

    public void Enter()
    {
        if (++_depth > TemplateLimits.Nesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error($"brackets, operators or blocks stand more than {TemplateLimits.Nesting} deep in each other");
    }

    public void Leave() => _depth--;

    private bool Skip(bool matches)
    {
        if (matches)
            Next();
        return matches;
    }
}
