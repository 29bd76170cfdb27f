namespace MLTransfer.Torch.ChatTemplates.Syntax;

internal enum TokenKind
{
    Data,
    StatementBegin,
    StatementEnd,
    PrintBegin,
    PrintEnd,
    Name,
    Text,
    Integer,
    Float,
    Operator,
    End,
}
