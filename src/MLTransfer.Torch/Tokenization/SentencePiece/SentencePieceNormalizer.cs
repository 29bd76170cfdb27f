using System.Text;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>
/// SentencePiece's own normalization (`Normalizer::Normalize`): the longest rule at each place, spaces as '▁', one before the text.
/// A character stands for the text from where its source begins to where the next one's begins.
/// </summary>
internal sealed class SentencePieceNormalizer(SentencePieceFile file, string source) : INormalizer
{
    private const char Space = ' ';
    private const char SpaceSign = '\u2581';

    private readonly CharacterMap? _map = file.CharacterMap.Length == 0 ? null : new CharacterMap(file.CharacterMap, source);
    private readonly PiecePrefixes _prefixes = new(file);

    public void Normalize(AlignedText text)
    {
        var output = new List<(Rune Rune, int Source)>(text.Length + 1);
        int consumed = 0;
        ReadOnlySpan<char> units = text.Units;
        if (file.RemovesExtraSpaces)
        {
            while (consumed < units.Length && NextPart(units[consumed..], out int length) is [Space])
                consumed += length;
        }

        if (consumed == units.Length)
        {
            // Nothing but spaces: not even one is put there.
            text.Trim(0, 0);
            return;
        }

        if (file.AddsDummyPrefix && !file.TreatsSpaceAsSuffix)
            output.Add((new Rune(Sign), consumed));
        bool afterSpace = file.RemovesExtraSpaces;
        while (consumed < units.Length)
        {
            ReadOnlySpan<char> part = NextPart(units[consumed..], out int length);
            if (afterSpace)
                part = part.TrimStart(Space);
            foreach (Rune rune in part.EnumerateRunes())
                output.Add((rune.Value == Space ? new Rune(Sign) : rune, consumed));
            if (!part.IsEmpty)
                afterSpace = file.RemovesExtraSpaces && part[^1] == Space;
            consumed += length;
        }

        if (file.RemovesExtraSpaces)
        {
            while (output.Count > 0 && output[^1].Rune.Value == Sign)
            {
                consumed = output[^1].Source;
                output.RemoveAt(output.Count - 1);
            }
        }

        if (file.AddsDummyPrefix && file.TreatsSpaceAsSuffix)
            output.Add((new Rune(Sign), consumed));
        Write(text, output, consumed);
    }

    private char Sign => file.EscapesSpaces ? SpaceSign : Space;

    private static void Write(AlignedText text, List<(Rune Rune, int Source)> output, int end)
    {
        AlignedTextWriter writer = text.Rewrite(output.Count);
        for (int i = 0; i < output.Count; i++)
        {
            int next = i + 1 < output.Count ? output[i + 1].Source : end;
            writer.Write(output[i].Rune, text.Origin + output[i].Source, text.Origin + next);
        }

        text.Take(writer);
    }

    /// <summary>What the beginning of a text becomes, and how much of it that is.</summary>
    private ReadOnlySpan<char> NextPart(ReadOnlySpan<char> text, out int length)
    {
        length = _prefixes.FirstLength(text, out bool isPiece);
        if (!isPiece && _map?.FindLongest(text, out int ruleLength) is string replacement)
        {
            length = ruleLength;
            return replacement;
        }

        return text[..length];
    }
}
