namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>Something that writes text or changes variables.</summary>
internal abstract record Statement(int Line);

internal sealed record TextOutput(string Text, int Line) : Statement(Line);

internal sealed record ValueOutput(Expression Value, int Line) : Statement(Line);

internal sealed record IfStatement(Expression Test, Block Then, Block Else, int Line) : Statement(Line);

internal sealed record ForStatement(
    Target Target, Expression Items, Expression? Filter, bool IsRecursive, Block Body, Block Else, int Line) : Statement(Line);

internal sealed record LoopExit(bool IsContinue, int Line) : Statement(Line);

internal sealed record Assignment(Target Target, Expression Value, int Line) : Statement(Line);

/// <summary>The text of a block as a variable's value, through a filter if there is one.</summary>
internal sealed record BlockAssignment(Target Target, FilterUse? Filter, Block Body, int Line) : Statement(Line);

internal sealed record MacroDefinition(string Name, MacroBody Macro, int Line) : Statement(Line);

internal sealed record CallBlock(Call Call, MacroBody Caller, int Line) : Statement(Line);

internal sealed record FilterBlock(FilterUse Filter, Block Body, int Line) : Statement(Line);

internal sealed record WithBlock(IReadOnlyList<(Target Target, Expression Value)> Values, Block Body, int Line) : Statement(Line);

/// <summary>A named block: without inheritance it stands where it is written, and sees the template's own variables only.</summary>
internal sealed record NamedBlock(Block Body, int Line) : Statement(Line);

internal sealed record EscapingBlock(Expression Enabled, Block Body, int Line) : Statement(Line);

/// <summary>What the assistant says: the place of its text is noted.</summary>
internal sealed record GenerationBlock(Block Body, int Line) : Statement(Line);

internal sealed record Block(IReadOnlyList<Statement> Statements)
{
    public static Block Empty { get; } = new([]);
}

internal sealed record MacroBody(
    IReadOnlyList<string> Parameters, IReadOnlyList<Expression> Defaults, Block Body, bool TakesMore, bool TakesMoreNamed,
        bool TakesCaller);

/// <summary>Where a value is put.</summary>
internal abstract record Target(int Line);

internal sealed record NameTarget(string Name, int Line) : Target(Line);

internal sealed record NamespaceTarget(string Name, string Attribute, int Line) : Target(Line);

internal sealed record TupleTarget(IReadOnlyList<Target> Items, int Line) : Target(Line);
