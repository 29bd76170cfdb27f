namespace MLTransfer.Extensions.AI.Tests;

internal sealed class TextRow
{
    public string Prompt { get; set; } = "";
}
