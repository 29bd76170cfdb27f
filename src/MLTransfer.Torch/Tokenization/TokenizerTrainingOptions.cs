namespace MLTransfer.Torch.Tokenization;

/// <summary>What <see cref="TextTokenizer.Train"/> makes.</summary>
public sealed record TokenizerTrainingOptions
{
    private const int AlphabetOfBytes = 256;

    /// <summary>How text becomes tokens.</summary>
    public TokenizerKind Kind { get; init; } = TokenizerKind.ByteLevelBytePairs;

    /// <summary>The most tokens, special ones included. There are fewer where the texts do not give as many.</summary>
    public int VocabularySize { get; init; } = 8_000;

    /// <summary>
    /// How often a pair, a word or (<see cref="TokenizerKind.Unigram"/>) a piece must occur to become a token. Characters need not.
    /// </summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>The special tokens; null for <see cref="Tokenization.SpecialTokens.Of"/> of the kind.</summary>
    public SpecialTokens? SpecialTokens { get; init; }

    /// <summary>
    /// What is done to text first; null for <see cref="TextNormalization.Bert"/> with <see cref="TokenizerKind.WordPiece"/>,
    /// <see cref="TextNormalization.SentencePiece"/> with <see cref="TokenizerKind.Unigram"/>, and nothing with the others.
    /// </summary>
    public TextNormalization? Normalization { get; init; }

    /// <summary>Whether text becomes lower case.</summary>
    public bool Lowercases { get; init; }

    /// <summary>Whether letters lose their accents; null: with <see cref="TextNormalization.Bert"/> where text becomes lower
    /// case.</summary>
    public bool? StripsAccents { get; init; }

    /// <summary>
    /// The most characters (bytes at byte level) of a token that is joined of others; null for no limit, and 16 with
    /// <see cref="TokenizerKind.Unigram"/>. Words of <see cref="TokenizerKind.WordLevel"/> have none.
    /// </summary>
    public int? MaximumTokenLength { get; init; }

    /// <summary>
    /// The most characters that are tokens, the most frequent ones; others are unknown. Null for all that occur. Byte level has the 256
    /// bytes, whatever this says.
    /// </summary>
    public int? MaximumAlphabetSize { get; init; }

    /// <summary>What tokens of <see cref="TokenizerKind.WordPiece"/> begin with that go on within a word.</summary>
    public string ContinuingPrefix { get; init; } = "##";

    /// <summary>The longest text in tokens that the model will take (<c>model_max_length</c>); null for no limit.</summary>
    public int? ModelMaximumLength { get; init; }

    /// <summary>The special tokens that apply.</summary>
    internal SpecialTokens Specials => SpecialTokens ?? Tokenization.SpecialTokens.Of(Kind);

    /// <summary>The normalization that applies.</summary>
    internal TextNormalization UsedNormalization => Normalization ?? Kind switch
    {
        TokenizerKind.WordPiece => TextNormalization.Bert,
        TokenizerKind.Unigram => TextNormalization.SentencePiece,
        _ => TextNormalization.None,
    };

    /// <summary>Refuses options that cannot be used, before texts are read.</summary>
    /// <exception cref="ArgumentException">An option is out of range or does not go with the kind; the message names it.</exception>
    public void Check()
    {
        Defined(nameof(Kind), Kind);
        Defined(nameof(Normalization), UsedNormalization);
        AtLeast(nameof(MinimumFrequency), MinimumFrequency, 1);
        AtLeast(nameof(MaximumTokenLength), MaximumTokenLength ?? 1, 1);
        AtLeast(nameof(MaximumAlphabetSize), MaximumAlphabetSize ?? 1, 1);
        AtLeast(nameof(ModelMaximumLength), ModelMaximumLength ?? 1, 1);
        ArgumentNullException.ThrowIfNull(ContinuingPrefix);
        CheckSpecialTokens();

        int needed = Specials.All.Count + (Kind == TokenizerKind.ByteLevelBytePairs ? AlphabetOfBytes : 1);
        AtLeast(nameof(VocabularySize), VocabularySize, needed,
            $" ({Specials.All.Count} special tokens" + (Kind == TokenizerKind.ByteLevelBytePairs ? " and the 256 bytes)" : " and one)"));
        if (VocabularySize > TokenVocabulary.MaximumSize)
        {
            throw new ArgumentOutOfRangeException(
                nameof(VocabularySize), VocabularySize, $"{nameof(VocabularySize)} must be at most {TokenVocabulary.MaximumSize}.");
        }
    }

    private static void AtLeast(string option, int value, int minimum, string why = "")
    {
        if (value < minimum)
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be at least {minimum}{why}.");
    }

    private static void Defined<T>(string option, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    private void CheckSpecialTokens()
    {
        foreach (string? token in Specials.Roles.Select(role => role.Token).Concat(Specials.Additional))
        {
            if (string.IsNullOrWhiteSpace(token))
                throw new ArgumentException($"{nameof(SpecialTokens)} has a token that is null or blank.", nameof(SpecialTokens));
        }

        if (Kind != TokenizerKind.ByteLevelBytePairs && Specials.Unknown is null)
        {
            throw new ArgumentException(
                $"{nameof(SpecialTokens)}.{nameof(Tokenization.SpecialTokens.Unknown)} is null, but {Kind} needs a token for what its "
                + "vocabulary lacks, such as \"<unk>\".", nameof(SpecialTokens));
        }

        if (Kind == TokenizerKind.WordPiece && Specials.Classification is null != Specials.Separator is null)
        {
            throw new ArgumentException(
                $"{nameof(SpecialTokens)} has one of {nameof(Tokenization.SpecialTokens.Classification)} and "
                + $"{nameof(Tokenization.SpecialTokens.Separator)}: give both, which are put around texts, or none.",
                    nameof(SpecialTokens));
        }
    }
}
