using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Cuts where the script changes; a space has none, Japanese ones are one with Han, and what is before the first is
/// dropped.</summary>
internal sealed class UnicodeScriptsPreTokenizer : IPreTokenizer
{
    private const int NoScript = 0;
    private const int ProlongedSoundMark = 0x30FC;

    private static readonly Lazy<(int First, int Last, int Script)[]> s_ranges = new(CollectRanges);

    public void PreTokenize(TextPieces pieces) => pieces.Cut(Cut);

    private static void Cut(ReadOnlySpan<char> piece, List<(int Start, int End)> parts)
    {
        int start = -1;
        int last = NoScript;
        int position = 0;
        foreach (Rune rune in piece.EnumerateRunes())
        {
            int script = ScriptOf(rune.Value);
            if (script != NoScript && script != last)
            {
                if (start >= 0)
                    parts.Add((start, position));
                (start, last) = (position, script);
            }

            position += rune.Utf16SequenceLength;
        }

        if (start >= 0)
            parts.Add((start, position));
    }

    private static int ScriptOf(int codePoint)
    {
        if (codePoint == ' ')
            return NoScript;
        (int First, int Last, int Script)[] ranges = s_ranges.Value;
        int low = 0;
        int high = ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < ranges[middle].First)
                high = middle - 1;
            else if (codePoint > ranges[middle].Last)
                low = middle + 1;
            else
                return ranges[middle].Script;
        }

        return NoScript;
    }

    private static (int, int, int)[] CollectRanges()
    {
        var ranges = new List<(int First, int Last, int Script)>();
        string[] names = [.. UnicodeProperties.Scripts.Keys.Order(StringComparer.Ordinal)];
        int han = Array.IndexOf(names, "Han") + 1;
        for (int i = 0; i < names.Length; i++)
        {
            int script = names[i] is "Hiragana" or "Katakana" ? han : i + 1;
            CodePointSet members = UnicodeProperties.Scripts[names[i]].Intersect(UnicodeProperties.OfVersion(9));
            if (script != han)
                members = members.Except(CodePointSet.Of(ProlongedSoundMark));
            ranges.AddRange(members.Ranges.Select(range => (range.First, range.Last, script)));
        }

        ranges.Add((ProlongedSoundMark, ProlongedSoundMark, han));
        ranges.Sort();
        return [.. ranges];
    }
}
