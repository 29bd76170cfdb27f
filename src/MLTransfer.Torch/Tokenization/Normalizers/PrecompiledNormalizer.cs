using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>
/// A map of replacements as SentencePiece compiles it (<c>precompiled_charsmap</c>), applied as Hugging Face's tokenizers do: a
/// grapheme cluster of less than 6 bytes is replaced as a whole by the shortest rule that it begins with, else character by character.
/// </summary>
internal sealed class PrecompiledNormalizer(CharacterMap map) : INormalizer
{
    private const int ClusterBytes = 6;

    public void Normalize(AlignedText text)
    {
        var changes = new List<RuneChange>(text.Length);
        bool isModified = false;
        ReadOnlySpan<char> units = text.Units;
        Span<char> buffer = stackalloc char[2];
        while (!units.IsEmpty)
        {
            int length = units.Length > 1 && units[0] is >= ' ' and < '\x7F' && units[1] is >= ' ' and < '\x7F' or '\n'
                ? 1 : StringInfo.GetNextTextElementLength(units);
            ReadOnlySpan<char> cluster = units[..length];
            units = units[length..];
            if (Encoding.UTF8.GetByteCount(cluster) < ClusterBytes && map.FindShortest(cluster) is string whole)
            {
                Replace(changes, cluster, whole);
                isModified = true;
                continue;
            }

            foreach (Rune rune in cluster.EnumerateRunes())
            {
                ReadOnlySpan<char> character = buffer[..rune.EncodeToUtf16(buffer)];
                if (map.FindShortest(character) is string single)
                {
                    Replace(changes, character, single);
                    isModified = true;
                }
                else
                {
                    changes.Add(new RuneChange(rune, 0));
                }
            }
        }

        if (isModified)
            text.Transform(CollectionsMarshal.AsSpan(changes));
    }

    /// <summary>
    /// New characters take the place of old ones as far as there are any; more are inserted, and what is too much goes with the last
    /// character written, be it of another cluster.
    /// </summary>
    private static void Replace(List<RuneChange> changes, ReadOnlySpan<char> old, string replacement)
    {
        int oldCount = CountRunes(old);
        int newCount = 0;
        foreach (Rune rune in replacement.EnumerateRunes())
            changes.Add(new RuneChange(rune, newCount++ < oldCount ? 0 : 1));
        if (newCount < oldCount && changes.Count > 0)
            changes[^1] = new RuneChange(changes[^1].Rune, changes[^1].Change + newCount - oldCount);
    }

    private static int CountRunes(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (char unit in text)
            count += char.IsLowSurrogate(unit) ? 0 : 1;
        return count;
    }
}
