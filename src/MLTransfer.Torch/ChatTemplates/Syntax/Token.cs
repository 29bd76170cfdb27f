namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>A piece of a template. <paramref name="Text"/> of a string literal is its value.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    public string Description => Kind switch
    {
        TokenKind.StatementEnd => "end of statement block",
        TokenKind.PrintEnd => "end of print statement",
        TokenKind.StatementBegin => "begin of statement block",
        TokenKind.PrintBegin => "begin of print statement",
        TokenKind.End => "end of template",
        TokenKind.Data => "text",
        _ => Text,
    };
}
