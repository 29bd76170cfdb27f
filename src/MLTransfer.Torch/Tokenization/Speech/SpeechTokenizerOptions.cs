using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.Speech;

/// <summary>What <c>tokenizer_config.json</c> says of a <c>VitsTokenizer</c>, whose defaults these are.</summary>
internal sealed record SpeechTokenizerOptions
{
    public const string ClassName = "VitsTokenizer";
    public const string Romanian = "ron";
    public const string UsualUnknown = "<unk>";
    private const string UsualPadding = "<pad>";

    /// <summary>The files that a tokenizer may consist of.</summary>
    public static ImmutableArray<string> Files { get; } =
        [TokenizerFiles.Vocabulary, TokenizerFiles.Configuration, TokenizerFiles.SpecialTokens, TokenizerFiles.AddedTokens];

    public required bool AddsBlanks { get; init; }
    public required bool Normalizes { get; init; }
    public required bool Phonemizes { get; init; }
    public required bool Romanizes { get; init; }
    public required string? Language { get; init; }

    /// <summary>Null where there is none.</summary>
    public required string? UnknownToken { get; init; }

    /// <summary>Tokens that are found in texts as they stand, with their ids where a file tells them.</summary>
    public required IReadOnlyList<(AddedToken Token, int? Id)> SpecialTokens { get; init; }

    /// <exception cref="NotSupportedException">The tokenizer is of another class.</exception>
    public static SpeechTokenizerOptions Read(IReadOnlyDictionary<string, byte[]> files)
    {
        var configuration = TokenizerConfiguration.Read(files);
        if (configuration.TokenizerClass is { } name && name != ClassName)
            throw new NotSupportedException($"{TokenizerFiles.Configuration}: tokenizer_class is '{name}'; expected '{ClassName}'.");
        var roles = configuration.Roles;
        var unknown = roles.TryGetValue("unk_token", out var token) ? token : AddedToken.SpecialOf(UsualUnknown);
        roles["unk_token"] = unknown;
        if (!roles.ContainsKey("pad_token"))
            roles["pad_token"] = AddedToken.SpecialOf(UsualPadding);
        var listed = configuration.AddedTokens.Select(added => (added.Token, Id: (int?)added.Id)).ToList();
        var named = TokenizerConfiguration.RoleNames.Select(role => roles.GetValueOrDefault(role)).OfType<AddedToken>()
            .Concat(configuration.OtherSpecialTokens).DistinctBy(special => special.Content)
            .Where(special => listed.TrueForAll(added => added.Token.Content != special.Content)).Select(special => (special, (int?)null));
        var main = configuration.Main;
        return new SpeechTokenizerOptions
        {
            AddsBlanks = main?.FlagOr("add_blank", true) ?? true,
            Normalizes = main?.FlagOr("normalize", true) ?? true,
            Phonemizes = main?.FlagOr("phonemize", true) ?? true,
            Romanizes = main?.FlagOr("is_uroman", false) ?? false,
            Language = main?.Optional("language")?.Text(),
            UnknownToken = unknown?.Content,
            SpecialTokens = configuration.SplitsSpecialTokens ? [] : [.. listed, .. named],
        };
    }
}
