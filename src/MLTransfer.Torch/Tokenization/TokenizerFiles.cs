using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Tokenization.Conversion;
using MLTransfer.Torch.Tokenization.Gguf;

namespace MLTransfer.Torch.Tokenization;

/// <summary>The names of tokenizer files, and their way from and to a folder.</summary>
internal static class TokenizerFiles
{
    public const string Tokenizer = "tokenizer.json";
    public const string Vocabulary = "vocab.json";
    public const string Merges = "merges.txt";
    public const string WordPieces = "vocab.txt";
    public const string ClipMerges = "bpe_simple_vocab_16e6.txt";
    public const string TiktokenDescription = "tiktoken.json";
    public const string Configuration = "tokenizer_config.json";
    public const string SpecialTokens = "special_tokens_map.json";
    public const string AddedTokens = "added_tokens.json";
    public const string ChatTemplate = "chat_template.jinja";
    public const string ProcessorChatTemplate = "chat_template.json";

    /// <summary>The folder of further chat templates, each a file of its name.</summary>
    public const string ChatTemplates = "additional_chat_templates";

    private const string ChatTemplateExtension = ".jinja";

    /// <summary>Names of SentencePiece models, of which the first may also be ranks of tiktoken.</summary>
    public static readonly string[] SentencePieces = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

    private static readonly string[] s_names =
    [
        Tokenizer, Vocabulary, Merges, WordPieces, ClipMerges, .. SentencePieces, TiktokenDescription, Configuration, SpecialTokens,
            AddedTokens,
        ChatTemplate, ProcessorChatTemplate,
    ];

    /// <summary>Whether a tokenizer has a file or a folder of that name.</summary>
    public static bool IsTokenizerFile(string name) => s_names.Contains(name) || name == ChatTemplates;

    /// <summary>Whether a folder holds a tokenizer.</summary>
    public static bool IsIn(string folder) =>
        new[] { Tokenizer, Vocabulary, WordPieces }.Concat(SentencePieces).Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>The name of a further chat template that a file holds, null for another file.</summary>
    public static string? ChatTemplateOf(string path) =>
        path.StartsWith(ChatTemplates + "/", StringComparison.Ordinal) && path.EndsWith(ChatTemplateExtension, StringComparison.Ordinal)
        && PlainName.IsFile(path[(ChatTemplates.Length + 1)..]) ? path[(ChatTemplates.Length + 1)..^ChatTemplateExtension.Length] : null;

    /// <summary>The file of a SentencePiece model, or of ranks of tiktoken, if there is one.</summary>
    public static string? FindModel(IReadOnlyDictionary<string, byte[]> files) => Array.Find(SentencePieces, files.ContainsKey);

    public static IReadOnlyDictionary<string, byte[]> Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (GgufFile.Is(folder))
        {
            using var file = GgufFile.Open(folder);
            return GgufTokenizerReader.Read(file.Metadata);
        }

        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to load a tokenizer from.");

        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string name in s_names)
        {
            var path = Path.GetFullPath(Path.Combine(folder, name));
            if (FileOnDisk.Length(path) is { } length)
                files.Add(name, length == 0 && name == Merges ? [] : FileKind.Tokenizer.Read(path));
        }

        foreach (string path in FurtherChatTemplates(folder))
            files.Add($"{ChatTemplates}/{Path.GetFileName(path)}", FileKind.Configuration.Read(path));
        ThrowIfIncomplete(files, $"The folder '{folder}'");
        if (!files.ContainsKey(Tokenizer) && !files.ContainsKey(Configuration) && files.ContainsKey(Merges)
            && DalleMiniTokens.ConfigurationOf(folder) is { } configuration)
        {
            files.Add(Configuration, configuration);
        }

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

        foreach ((string name, byte[] content) in files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            if (ChatTemplateOf(name) is not null)
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
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, stream => stream.Write(content));
        }
    }

    private static IEnumerable<string> FurtherChatTemplates(string folder)
    {
        string templates = Path.GetFullPath(Path.Combine(folder, ChatTemplates));
        return Directory.Exists(templates)
            ? Directory.EnumerateFiles(templates, "*" + ChatTemplateExtension).Order(StringComparer.Ordinal) : [];
    }

    private static void ThrowIfIncomplete(Dictionary<string, byte[]> files, string source)
    {
        if (files.ContainsKey(Tokenizer) || (files.ContainsKey(Vocabulary) && files.ContainsKey(Merges)) || files.ContainsKey(WordPieces)
            || files.ContainsKey(ClipMerges) || FindModel(files) is not null)
        {
            return;
        }

        string found = files.Count == 0 ? "none of them" : string.Join(", ", files.Keys);
        throw new FileNotFoundException(
            $"{source} has no tokenizer: expected {Tokenizer}, {Vocabulary} and {Merges}, " +
            $"{WordPieces}, {ClipMerges}, or {string.Join(" or ", SentencePieces)}; found {found}.");
    }
}
