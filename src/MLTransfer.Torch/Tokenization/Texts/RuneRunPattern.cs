using System.Text;

namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>Runs of characters of the same kind; characters without a kind are no match.</summary>
/// <param name="kindOf">The kind of a character, or 0.</param>
internal sealed class RuneRunPattern(Func<Rune, int> kindOf) : ITextPattern
{
    public void FindMatches(ReadOnlySpan<char> text, List<TextMatch> matches)
    {
        int start = 0;
        int kind = -1;
        for (int position = 0; position < text.Length;)
        {
            Rune.DecodeFromUtf16(text[position..], out Rune rune, out int units);
            int next = kindOf(rune);
            if (next != kind && position > 0)
            {
                matches.Add(new TextMatch(start, position, kind != 0));
                start = position;
            }

            kind = next;
            position += units;
        }

        if (start < text.Length)
            matches.Add(new TextMatch(start, text.Length, kind != 0));
    }
}
