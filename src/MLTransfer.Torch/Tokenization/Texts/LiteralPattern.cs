namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>A text that is found as it is written.</summary>
internal sealed class LiteralPattern(string text) : ITextPattern
{
    public string Text { get; } = text;

    public void FindMatches(ReadOnlySpan<char> text, List<TextMatch> matches)
    {
        int done = 0;
        while (Text.Length > 0 && text[done..].IndexOf(Text, StringComparison.Ordinal) is >= 0 and int found)
        {
            if (found > 0)
                matches.Add(new TextMatch(done, done + found, IsMatch: false));
            done += found + Text.Length;
            matches.Add(new TextMatch(done - Text.Length, done, IsMatch: true));
        }

        if (done < text.Length)
            matches.Add(new TextMatch(done, text.Length, IsMatch: false));
    }
}
