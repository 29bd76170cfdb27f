namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>Something with a value.</summary>
internal abstract record Expression(int Line);

internal sealed record Constant(object? Value, int Line) : Expression(Line);

internal sealed record NameReference(string Name, int Line) : Expression(Line);

internal sealed record TupleLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line);

internal sealed record ListLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line);

internal sealed record DictionaryLiteral(IReadOnlyList<(Expression Key, Expression Value)> Items, int Line) : Expression(Line);

internal sealed record Conditional(Expression Test, Expression Then, Expression? Else, int Line) : Expression(Line);

internal sealed record Logical(bool IsAnd, Expression Left, Expression Right, int Line) : Expression(Line);

internal sealed record Unary(string Operator, Expression Operand, int Line) : Expression(Line);

internal sealed record Binary(string Operator, Expression Left, Expression Right, int Line) : Expression(Line);

internal sealed record Concatenation(IReadOnlyList<Expression> Items, int Line) : Expression(Line);

internal sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest, int Line) : Expression(Line);

internal sealed record AttributeAccess(Expression Target, string Name, int Line) : Expression(Line);

internal sealed record ItemAccess(Expression Target, Expression Index, int Line) : Expression(Line);

internal sealed record SliceAccess(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Line) : Expression(Line);

internal sealed record Call(Expression Target, CallArguments Arguments, int Line) : Expression(Line);

/// <summary>A filter; no <paramref name="Target"/> where it takes the text of a block.</summary>
internal sealed record FilterUse(Expression? Target, string Name, CallArguments Arguments, int Line) : Expression(Line);

internal sealed record TestUse(Expression Target, string Name, CallArguments Arguments, int Line) : Expression(Line);

internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Rest, Expression? NamedRest)
{
    public static CallArguments None { get; } = new([], [], null, null);
}
