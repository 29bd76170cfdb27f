using System.Text;

namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>Characters of which something is true; each is a match of its own.</summary>
internal sealed class RunePattern(Func<Rune, bool> isMatch) : ITextPattern
{
    public void FindMatches(ReadOnlySpan<char> text, List<TextMatch> matches)
    {
        int done = 0;
        for (int position = 0; position < text.Length;)
        {
            Rune.DecodeFromUtf16(text[position..], out Rune rune, out int units);
            if (isMatch(rune))
            {
                if (done < position)
                    matches.Add(new TextMatch(done, position, IsMatch: false));
                matches.Add(new TextMatch(position, position + units, IsMatch: true));
                done = position + units;
            }

            position += units;
        }

        if (done < text.Length)
            matches.Add(new TextMatch(done, text.Length, IsMatch: false));
    }
}
