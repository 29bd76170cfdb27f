using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>The files that a model consists of, its card and its licence, out of all that its repository holds.</summary>
internal static class ModelFiles
{
    public const string Configuration = "config.json";

    private static readonly string[] Wanted =
    [
        Configuration, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
        "merges.txt", "vocab.txt", "added_tokens.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
        "chat_template.jinja", "chat_template.json", "preprocessor_config.json", "speakers.json", "discriminator.safetensors", "README.md",
        "LICENSE",
    ];

    // Any one of these sets is enough to build a tokenizer.
    private static readonly string[][] Tokenizers =
    [
        ["tokenizer.json"], ["vocab.json", "merges.txt"], ["vocab.txt"], ["tokenizer.model"], ["spiece.model"],
        ["sentencepiece.bpe.model"], ["vocab.json", "tokenizer_config.json"], // the last of characters, as VITS reads them
    ];

    /// <summary>Whether the folder has a configuration, a tokenizer and complete weights.</summary>
    public static bool AreComplete(string folder) =>
        MissingPart(name => FileOnDisk.Exists(Path.Combine(folder, name))) is null && WeightFiles.FindComplete(folder) is not null;

    /// <summary>The files to take from a repository, the weights last so that an interrupted download never looks complete.</summary>
    /// <exception cref="HubException">The repository lacks a part of the model.</exception>
    public static IReadOnlyList<string> Select(HubModelId id, HubRevision revision)
    {
        string? form = WeightFiles.Forms.FirstOrDefault(revision.Files.Contains);
        string? missing = MissingPart(revision.Files.Contains)
            ?? (form is null ? $"weights ({string.Join(", ", WeightFiles.Forms)})" : null);
        return missing is null
            ? [.. Wanted.Where(revision.Files.Contains), .. revision.Files.Where(IsChatTemplate).Order(StringComparer.Ordinal), form!]
            : throw new HubException(
                $"The model '{id}' at commit {revision.Commit} has no {missing}, so it cannot be loaded. "
                + $"Its repository has: {Listing(revision.Files)}. Choose a model or a revision that has them.");
    }

    private static bool IsChatTemplate(string path) => path.Split('/') is ["additional_chat_templates", var name]
        && name.EndsWith(".jinja", StringComparison.Ordinal) && PlainName.IsFile(name);

    private static string? MissingPart(Func<string, bool> has) =>
        !has(Configuration) ? Configuration
        : !Tokenizers.Any(files => files.All(has))
            ? $"tokenizer ({string.Join(", or ", Tokenizers.Select(files => string.Join(" and ", files)))})"
            : null;

    private static string Listing(IReadOnlySet<string> files)
    {
        const int Most = 20;
        string names = string.Join(", ", files.Order(StringComparer.Ordinal).Take(Most));
        return files.Count == 0 ? "no files" : files.Count > Most ? $"{names} and {files.Count - Most} more" : names;
    }
}
