using System.Text;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Writes spaces as another character, '▁' as a rule, puts one before the text, and cuts before each.</summary>
internal sealed class MetaspacePreTokenizer(Rune replacement, PrependScheme scheme, bool splits) : IPreTokenizer
{
    private readonly string _replacement = replacement.ToString();

    public PrependScheme Scheme { get; } = scheme;

    public void PreTokenize(TextPieces pieces)
    {
        pieces.Rewrite(Write);
        if (splits)
            pieces.Split(new LiteralPattern(_replacement), SplitBehavior.MergedWithNext);
    }

    private void Write(AlignedText text, int start, int end, AlignedTextWriter writer)
    {
        bool begins = text.Units[start] == ' ' || text.Units[start..end].StartsWith(_replacement);
        if (!begins && (Scheme == PrependScheme.Always || Scheme == PrependScheme.First && text.StartOf(start) == 0))
            writer.Insert(replacement, start);

        while (start < end)
        {
            int space = text.Units[start..end].IndexOf(' ');
            int length = space < 0 ? end - start : space;
            writer.Copy(start, length);
            start += length;
            if (space >= 0)
                writer.Insert(replacement, start++);
        }
    }
}
