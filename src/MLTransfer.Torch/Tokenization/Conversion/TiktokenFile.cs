using System.Buffers.Text;
using System.Globalization;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>
/// Reads ranks of tiktoken: a token's bytes in base64 and its id a line. The pattern and the special tokens stand in
/// <c>tiktoken.json</c> (<c>pattern</c>, <c>special_tokens</c>); without it the pattern is that of Llama 3, whose files these are as a
/// rule, and special tokens are those of <c>tokenizer_config.json</c>.
/// </summary>
internal static class TiktokenFile
{
    private const string Llama3Pattern =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" +
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /// <summary>Whether a file begins as ranks do.</summary>
    public static bool IsRanks(ReadOnlySpan<byte> content)
    {
        int end = content.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? content : content[..end];
        int space = line.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(line[..space])
            && !line[(space + 1)..].TrimEnd((byte)'\r').ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    public static TokenizerDescription Read(IReadOnlyDictionary<string, byte[]> files, string name)
    {
        JsonField? described = files.TryGetValue(TokenizerFiles.TiktokenDescription, out byte[]? content)
            ? JsonField.Parse(content, TokenizerFiles.TiktokenDescription).Only("pattern", "special_tokens") : null;
        RegularExpression pattern = described?.Optional("pattern") is JsonField field
            ? PatternReader.ReadExpression(field) : new RegularExpression(Llama3Pattern);
        TokenVocabulary vocabulary = ReadRanks(files[name], name);
        return new TokenizerDescription
        {
            BytePairs = new BytePairOptions
            {
                Vocabulary = vocabulary,
                Merges = FindMerges(vocabulary),
                MergesFile = name,
                IgnoresMerges = true,
            },
            PreTokenizer = new PreTokenizerSequence([
                new SplitPreTokenizer(pattern, SplitBehavior.Removed, invert: true),
                new ByteLevelPreTokenizer(addsPrefixSpace: false, splitsWords: false)]),
            Decoder = new ByteLevelDecoder(),
            AddedTokens = described?.Optional("special_tokens") is not JsonField special ? []
                : [.. special.Properties().Select(token => (AddedToken.SpecialOf(token.Name), token.Value.Id()))],
        };
    }

    private static TokenVocabulary ReadRanks(byte[] content, string name)
    {
        var vocabulary = new TokenVocabulary(name);
        int number = 0;
        foreach (string line in MergeList.Lines(content, name))
        {
            number++;
            if (line.Length == 0)
                continue;
            string[] words = line.Split(' ');
            byte[] bytes = new byte[words[0].Length];
            if (words.Length != 2 || !Convert.TryFromBase64String(words[0], bytes, out int length) || length == 0
                || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int rank)
                || rank >= TokenVocabulary.MaximumSize)
            {
                throw new InvalidDataException(
                    $"{name}: line {number} is '{(line.Length > 60 ? line[..60] : line)}'; expected base64 of bytes, a space and a rank.");
            }

            vocabulary.Add(string.Concat(bytes.Take(length).Select(ByteLevelAlphabet.CharacterOf)), rank, name);
        }

        return BytePairModel.HasAlphabet(vocabulary) ? vocabulary
            : throw new InvalidDataException($"{name}: not every single byte has a rank.");
    }

    /// <summary>Any two tokens whose bytes together are a token are joined, by its rank.</summary>
    private static List<(int Left, int Right, int Rank, int Id)> FindMerges(TokenVocabulary vocabulary)
    {
        var merges = new List<(int, int, int, int)>();
        var ids = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach ((string token, int id) in vocabulary.Ids)
        {
            for (int cut = 1; cut < token.Length; cut++)
            {
                if (ids.TryGetValue(token.AsSpan(0, cut), out int left) && ids.TryGetValue(token.AsSpan(cut), out int right))
                    merges.Add((left, right, id, id));
            }
        }

        return merges;
    }
}
