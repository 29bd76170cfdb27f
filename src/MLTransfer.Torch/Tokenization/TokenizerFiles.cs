using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Tokenization;

/// <summary>The names of tokenizer files, and their way from and to a folder.</summary>
internal static class TokenizerFiles
{
    public const string Tokenizer = "tokenizer.json";
    public const string Vocabulary = "vocab.json";
    public const string Merges = "merges.txt";
    public const string WordPieces = "vocab.txt";
    public const string TiktokenDescription = "tiktoken.json";
    public const string Configuration = "tokenizer_config.json";
    public const string SpecialTokens = "special_tokens_map.json";
    public const string AddedTokens = "added_tokens.json";

    // The largest published tokenizer.json files, of vocabularies of 256,000 tokens, are below 40 MB.
    private const long MaximumFileBytes = 256L << 20;

    /// <summary>Names of SentencePiece models, of which the first may also be ranks of tiktoken.</summary>
    public static readonly string[] SentencePieces = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

    private static readonly string[] s_names =
    [
        Tokenizer, Vocabulary, Merges, WordPieces, .. SentencePieces, TiktokenDescription, Configuration, SpecialTokens, AddedTokens,
    ];

    public static bool IsTokenizerFile(string name) => s_names.Contains(name);

    /// <summary>The file of a SentencePiece model, or of ranks of tiktoken, if there is one.</summary>
    public static string? FindModel(IReadOnlyDictionary<string, byte[]> files) => Array.Find(SentencePieces, files.ContainsKey);

    public static IReadOnlyDictionary<string, byte[]> Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to load a tokenizer from.");

        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in s_names)
        {
            var file = new FileInfo(Path.Combine(folder, name));
            if (!file.Exists)
                continue;
            if (file.Length > MaximumFileBytes)
                throw new InvalidDataException(
                    $"{file.FullName}: {file.Length} bytes are more than any tokenizer has (limit {MaximumFileBytes}).");
            files.Add(name, File.ReadAllBytes(file.FullName));
        }

        ThrowIfIncomplete(files, $"The folder '{folder}'");
        return files;
    }

    /// <summary>The tokenizer files among others, copied: the tokenizer keeps them.</summary>
    public static IReadOnlyDictionary<string, byte[]> Select(IReadOnlyDictionary<string, byte[]> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var selected = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in s_names)
        {
            if (files.TryGetValue(name, out byte[]? content))
                selected.Add(name, content);
        }

        ThrowIfIncomplete(selected, "The set of files");
        return selected.AsReadOnly();
    }

    public static void Write(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] content) in files)
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(content));
    }

    private static void ThrowIfIncomplete(Dictionary<string, byte[]> files, string source)
    {
        if (files.ContainsKey(Tokenizer) || (files.ContainsKey(Vocabulary) && files.ContainsKey(Merges)) || files.ContainsKey(WordPieces)
            || FindModel(files) is not null)
        {
            return;
        }

        string found = files.Count == 0 ? "none of them" : string.Join(", ", files.Keys);
        throw new FileNotFoundException(
            $"{source} has no tokenizer: expected {Tokenizer}, {Vocabulary} and {Merges}, " +
            $"{WordPieces}, or {string.Join(" or ", SentencePieces)}; found {found}.");
    }
}
