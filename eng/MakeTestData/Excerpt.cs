namespace MakeTestData;

internal static class Excerpt
{
    /// <summary>A text's first lines, with their ends as they are.</summary>
    public static byte[] FirstLines(byte[] text, int lines)
    {
        var length = 0;
        for (var line = 0; line < lines; line++)
            length += text.AsSpan(length).IndexOf((byte)'\n') + 1;
        return text[..length];
    }
}
