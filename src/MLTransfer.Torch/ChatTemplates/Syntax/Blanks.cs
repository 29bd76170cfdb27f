using System.Buffers;

namespace MLTransfer.Torch.ChatTemplates.Syntax;

/// <summary>White space as Python's <c>str</c> counts it: .NET's, and the four separators of ASCII.</summary>
internal static class Blanks
{
    private static readonly char[] s_all = [.. Enumerable.Range(0, char.MaxValue + 1).Select(value => (char)value).Where(Is)];

    public static SearchValues<char> Search { get; } = SearchValues.Create(s_all);

    public static ReadOnlySpan<char> Span => s_all;

    public static char[] All => s_all;

    public static bool Is(char value) => char.IsWhiteSpace(value) || value is >= '\x1c' and <= '\x1f';
}
