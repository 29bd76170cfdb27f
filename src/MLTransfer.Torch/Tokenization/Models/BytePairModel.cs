using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>Byte-pair encoding with the rules of Hugging Face's tokenizers for unknown characters and affixes.</summary>
/// <remarks>
/// Microsoft.ML.Tokenizers has it too. Its encoders in version 2.0.1 differ from the reference: `BpeTokenizer` and `TiktokenTokenizer`
/// take quadratic time for long unbroken words (14 s for 400,000 letters) and do not know the flags of added tokens; `TiktokenTokenizer`
/// also joins any two neighbours whose union is a token, whatever the merges are. On words of ordinary length `BpeTokenizer` agrees, and
/// the tests compare with it.
/// </remarks>
internal sealed class BytePairModel : ITokenModel
{
    private const int StackSymbols = 128;
    private const int MaximumKeptTokens = 1 << 12;

    [ThreadStatic]
    private static TokenBuffer? t_found;

    private readonly BytePairOptions _options;
    private readonly BytePairMerger _merger;
    private readonly WordCache _cache = new();
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly int _longestToken;
    private readonly int? _unknownId;
    private readonly int[]? _byteIds;          // of the alphabet, or for the fallback
    private readonly int[] _asciiIds;
    private readonly WordCuts _cuts;

    public BytePairModel(BytePairOptions options)
    {
        _options = options;
        _merger = new BytePairMerger(options.Merges, options.Merges.Count);
        _ids = Vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _longestToken = Vocabulary.Ids.Count == 0 ? 0 : Vocabulary.Ids.Keys.Max(token => token.Length);
        _unknownId = options.UnknownToken is null ? null
            : Vocabulary.Ids.TryGetValue(options.UnknownToken, out int unknown) ? unknown
            : throw new InvalidDataException($"{options.MergesFile}: unk_token '{options.UnknownToken}' is not in the vocabulary.");
        _byteIds = options.ReadsBytes ? AlphabetIds(Vocabulary) : options.FallsBackToBytes ? ByteTokens.IdsOf(Vocabulary) : null;
        _asciiIds = [.. Enumerable.Range(0, 128).Select(value => IdOf(((char)value).ToString()))];

        // Pieces are independent only where no symbol depends on the place in the word, and nothing is dropped.
        bool isIndependent = options is { ReadsBytes: false, ContinuingPrefix: "", EndSuffix: "" } && _unknownId is not null;
        _cuts = isIndependent ? new WordCuts(options) : WordCuts.None;
    }

    public TokenVocabulary Vocabulary => _options.Vocabulary;

    /// <summary>The number of words whose tokens are kept at the moment.</summary>
    public int CachedWords => _cache.Count;

    /// <summary>Whether every byte of the alphabet is a token, so that a model may read bytes itself.</summary>
    public static bool HasAlphabet(TokenVocabulary vocabulary) => !AlphabetIds(vocabulary).Contains(ByteTokens.None);

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        if (_options.IgnoresMerges && word.Length <= _longestToken && WholeWordId(word) is int whole)
        {
            tokens.Add(whole, 0, word.Length);
            return;
        }

        if (_cuts.IsEmpty)
        {
            AddPiece(word, tokens);
            return;
        }

        for (int start = 0; start < word.Length;)
        {
            int length = _cuts.FirstLength(word[start..]);
            int first = tokens.Units?.Count ?? 0;
            AddPiece(word.Slice(start, length), tokens);
            if (start > 0 && tokens.Units is List<TokenUnits> units)
            {
                for (int i = first; i < units.Count; i++)
                    units[i] = new TokenUnits(units[i].Start + start, units[i].End + start);
            }

            start += length;
        }
    }

    private static int[] AlphabetIds(TokenVocabulary vocabulary) =>
    [
        .. Enumerable.Range(0, 256).Select(value =>
            vocabulary.Ids.TryGetValue(ByteLevelAlphabet.CharacterOf((byte)value).ToString(), out int id) ? id : ByteTokens.None),
    ];

    private void AddPiece(ReadOnlySpan<char> piece, TokenBuffer tokens)
    {
        if (_cache.TryGet(piece, tokens))
            return;

        TokenBuffer found = t_found ?? new TokenBuffer(64, keepsUnits: true);
        t_found = null;
        found.Clear();
        Encode(piece, found);
        ReadOnlySpan<int> ids = CollectionsMarshal.AsSpan(found.Ids);
        ReadOnlySpan<TokenUnits> units = CollectionsMarshal.AsSpan(found.Units);
        tokens.Ids.AddRange(ids);
        tokens.Units?.AddRange(units);
        _cache.Add(piece, ids, units);
        if (found.Ids.Capacity <= MaximumKeptTokens)
            t_found = found;
    }

    private void Encode(ReadOnlySpan<char> word, TokenBuffer tokens)
    {
        // A character gives at most one symbol for each of its bytes; with the fallback, for those of the affixes too.
        int room = checked(Encoding.UTF8.GetByteCount(word) + (_options.FallsBackToBytes
            ? word.Length * Encoding.UTF8.GetByteCount(_options.ContinuingPrefix) + Encoding.UTF8.GetByteCount(_options.EndSuffix) : 0));
        if (room <= StackSymbols)
        {
            Encode(word, stackalloc int[4 * room], tokens);
            return;
        }

        int[] buffer = ArrayPool<int>.Shared.Rent(checked(4 * room));
        try
        {
            Encode(word, buffer.AsSpan(0, 4 * room), tokens);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(buffer);
        }
    }

    private void Encode(ReadOnlySpan<char> word, Span<int> buffer, TokenBuffer tokens)
    {
        int room = buffer.Length / 4;
        var symbols = new SymbolList(buffer[..room], buffer.Slice(room, room));
        if (_options.ReadsBytes)
            AddBytes(word, ref symbols);
        else
            AddCharacters(word, ref symbols);
        if (symbols.Count == 0)
            return;

        Span<int> next = buffer.Slice(2 * room, symbols.Count);
        _merger.Join(symbols.Ids[..symbols.Count], next, buffer.Slice(3 * room, symbols.Count));

        if (_options.ReadsBytes && symbols.Count == word.Length)
        {
            // Of ASCII each symbol is a unit.
            for (int position = 0; position >= 0; position = next[position])
                tokens.Add(symbols.Ids[position], position, next[position] < 0 ? symbols.Count : next[position]);
            return;
        }

        // Places in bytes become places in units: a part of a character stands for the whole.
        int start = 0;
        var units = new ByteToUnit(word);
        for (int position = 0; position >= 0; position = next[position])
        {
            int end = start;
            int after = next[position] < 0 ? symbols.Count : next[position];
            for (int i = position; i < after; i++)
                end += symbols.Lengths[i];
            tokens.Add(symbols.Ids[position], units.CharacterOf(start), units.EndOf(end));
            start = end;
        }
    }

    private void AddBytes(ReadOnlySpan<char> word, ref SymbolList symbols)
    {
        int[] byteIds = _byteIds!;
        Span<byte> bytes = stackalloc byte[4];
        for (int position = 0; position < word.Length;)
        {
            if (word[position] < 128)
            {
                symbols.Add(byteIds[word[position++]], 1);
                continue;
            }

            Rune.DecodeFromUtf16(word[position..], out Rune rune, out int units);
            position += units;
            foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)])
                symbols.Add(byteIds[value], 1);
        }
    }

    private void AddCharacters(ReadOnlySpan<char> word, ref SymbolList symbols)
    {
        int unknown = 0; // the bytes of unknown characters that are not added yet
        for (int position = 0; position < word.Length;)
        {
            Rune.DecodeFromUtf16(word[position..], out Rune rune, out int units);
            bool isFirst = position == 0;
            position += units;
            int id = SymbolId(rune, isFirst, position == word.Length);
            if (id >= 0)
            {
                AddUnknown(ref unknown, ref symbols);
                symbols.Add(id, rune.Utf8SequenceLength);
            }
            else if (!_options.FallsBackToBytes || !AddFallback(rune, isFirst, position == word.Length, ref symbols))
            {
                if (_unknownId is null)
                    continue;
                if (!_options.FusesUnknown)
                    AddUnknown(ref unknown, ref symbols);
                unknown += rune.Utf8SequenceLength;
            }
        }

        AddUnknown(ref unknown, ref symbols);
    }

    private void AddUnknown(ref int unknown, ref SymbolList symbols)
    {
        if (unknown > 0)
            symbols.Add(_unknownId!.Value, unknown);
        unknown = 0;
    }

    private bool AddFallback(Rune rune, bool isFirst, bool isLast, ref SymbolList symbols)
    {
        if (!ByteTokens.TryEncode(WithAffixes(rune, isFirst, isLast), _byteIds!, out int[] ids))
            return false;
        foreach (int id in ids)
            symbols.Add(id, 1);
        return true;
    }

    private int SymbolId(Rune rune, bool isFirst, bool isLast)
    {
        if ((isFirst || _options.ContinuingPrefix.Length == 0) && (!isLast || _options.EndSuffix.Length == 0))
        {
            if (rune.IsAscii)
                return _asciiIds[rune.Value];
            Span<char> character = stackalloc char[2];
            return IdOf(character[..rune.EncodeToUtf16(character)]);
        }

        return IdOf(WithAffixes(rune, isFirst, isLast));
    }

    private string WithAffixes(Rune rune, bool isFirst, bool isLast) =>
        (isFirst ? "" : _options.ContinuingPrefix) + rune + (isLast ? _options.EndSuffix : "");

    private int IdOf(ReadOnlySpan<char> token) => _ids.TryGetValue(token, out int id) ? id : -1;

    private int? WholeWordId(ReadOnlySpan<char> word)
    {
        if (!_options.ReadsBytes)
            return _ids.TryGetValue(word, out int id) ? id : null;

        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        if (bytes.Length > _longestToken)
            return null;
        char[] characters = Array.ConvertAll(bytes, ByteLevelAlphabet.CharacterOf);
        return _ids.TryGetValue(characters, out int whole) ? whole : null;
    }

    /// <summary>The first symbols of a word.</summary>
    private ref struct SymbolList(Span<int> ids, Span<int> lengths)
    {
        public readonly Span<int> Ids => _ids;

        /// <summary>The number of bytes that each stands for.</summary>
        public readonly Span<int> Lengths => _lengths;

        public int Count { get; private set; }

        private readonly Span<int> _ids = ids;
        private readonly Span<int> _lengths = lengths;

        public void Add(int id, int length)
        {
            _ids[Count] = id;
            _lengths[Count++] = length;
        }
    }

    /// <summary>Finds the character that a byte of a text's UTF-8 belongs to, for bytes in ascending order.</summary>
    private ref struct ByteToUnit(ReadOnlySpan<char> word)
    {
        private readonly ReadOnlySpan<char> _word = word;
        private int _unit;
        private int _byte;

        /// <summary>The first unit of the character that has a byte.</summary>
        public int CharacterOf(int place)
        {
            while (_unit < _word.Length)
            {
                Rune.DecodeFromUtf16(_word[_unit..], out Rune rune, out int units);
                if (place < _byte + rune.Utf8SequenceLength)
                    break;
                _byte += rune.Utf8SequenceLength;
                _unit += units;
            }

            return _unit;
        }

        /// <summary>One past the last unit of the character that has the byte before a place.</summary>
        public int EndOf(int place)
        {
            int unit = CharacterOf(place - 1);
            return unit == _word.Length ? unit : unit + (char.IsHighSurrogate(_word[unit]) ? 2 : 1);
        }
    }
}
