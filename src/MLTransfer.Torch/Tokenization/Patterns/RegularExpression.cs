using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>A regular expression of Oniguruma, over code points.</summary>
internal sealed class RegularExpression : ITextPattern
{
    private readonly PatternProgram _program;

    /// <exception cref="FormatException">The text is no regular expression.</exception>
    /// <exception cref="NotSupportedException">It uses something that is refused.</exception>
    public RegularExpression(string pattern) => _program = PatternCompiler.Compile(pattern);

    public void FindMatches(ReadOnlySpan<char> text, List<TextMatch> matches)
    {
        if (text.IsEmpty)
            return;
        var matcher = new PatternMatcher(_program, text);
        int done = 0;
        int from = 0;
        int lastEnd = -1;
        while (from <= text.Length && matcher.TryFind(from, out int start, out int end))
        {
            if (start == end && start == lastEnd)
            {
                // No empty match beside the one before.
                from += from < text.Length && char.IsHighSurrogate(text[from]) ? 2 : 1;
                continue;
            }

            (from, lastEnd) = (end, end);
            if (done < start)
                matches.Add(new TextMatch(done, start, IsMatch: false));
            matches.Add(new TextMatch(start, end, IsMatch: true));
            done = end;
        }

        matcher.Return();
        if (done < text.Length)
            matches.Add(new TextMatch(done, text.Length, IsMatch: false));
    }
}
