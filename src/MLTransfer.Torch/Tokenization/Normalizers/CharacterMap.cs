using System.Buffers.Binary;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>
/// SentencePiece's compiled map of texts to texts: a double-array trie over UTF-8 (Darts-clone: units of 32 bits with label, offset and
/// leaf flag) whose values are places in a list of texts that end with a zero byte.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly string?[] _read; // the texts that were asked for, by place

    /// <param name="compiled">The length of the trie in bytes as 32 bits, the trie, the texts; little-endian.</param>
    /// <param name="source">The place of the map, for errors.</param>
    public CharacterMap(ReadOnlySpan<byte> compiled, string source)
    {
        if (compiled.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(compiled) is var size
            && (size % 4 != 0 || size > compiled.Length - 4))
            throw new InvalidDataException($"{source} is no compiled character map: it is shorter than the trie that it announces.");
        _trie = new uint[size / 4];
        for (int i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(compiled[(4 + 4 * i)..]);
        _texts = compiled[(4 + (int)size)..].ToArray();
        _read = new string?[_texts.Length];
    }

    /// <summary>The replacement of the shortest rule that a text begins with, or null.</summary>
    public string? FindShortest(ReadOnlySpan<char> text) => Find(text, isLongest: false, out _);

    /// <summary>The replacement of the longest rule that a text begins with, or null.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">The number of UTF-16 units that the rule takes.</param>
    public string? FindLongest(ReadOnlySpan<char> text, out int length) => Find(text, isLongest: true, out length);

    private string? Find(ReadOnlySpan<char> text, bool isLongest, out int length)
    {
        length = 0;
        string? found = null;
        if (_trie.Length == 0)
            return null;

        uint node = OffsetOf(_trie[0]);
        Span<byte> bytes = stackalloc byte[4];
        for (int position = 0; position < text.Length;)
        {
            Rune.DecodeFromUtf16(text[position..], out Rune rune, out int units);
            position += units;
            foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)])
            {
                node ^= value;
                if (value == 0 || node >= _trie.Length || (_trie[node] & 0x800000FF) != value)
                    return found;
                uint unit = _trie[node];
                node ^= OffsetOf(unit);
                if ((unit & 0x100) == 0 || node >= _trie.Length)
                    continue;
                found = TextAt((int)(_trie[node] & 0x7FFFFFFF));
                length = position;
                if (!isLongest)
                    return found;
            }
        }

        return found;
    }

    private static uint OffsetOf(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private string? TextAt(int place)
    {
        if (place >= _texts.Length)
            return null;
        if (_read[place] is string known)
            return known;
        ReadOnlySpan<byte> rest = _texts.AsSpan(place);
        int end = rest.IndexOf((byte)0);
        return _read[place] = Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
