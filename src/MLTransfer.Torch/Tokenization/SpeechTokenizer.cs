using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Tokenization.Speech;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Texts to the characters that a VITS reads, as transformers' <c>VitsTokenizer</c> does: <c>vocab.json</c> with
/// <c>tokenizer_config.json</c>.
/// </summary>
/// <remarks>
/// <c>normalize</c> puts texts into lower case, but for pieces that are a token, and drops characters that are none; <c>add_blank</c> puts
/// token 0 between, before and behind characters. Where the configuration says <c>phonemize</c> or <c>is_uroman</c>, which transformers
/// leaves to other programs, the caller gives a function, or texts that are phonemes already.
/// </remarks>
public sealed class SpeechTokenizer
{
    private const int Blank = 0;
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private readonly IReadOnlyDictionary<string, byte[]> _files;
    private readonly TokenVocabulary _vocabulary;
    private readonly SpeechTokenizerOptions _options;
    private readonly SpecialTokenSplitter _special;

    private SpeechTokenizer(
        IReadOnlyDictionary<string, byte[]> files, TokenVocabulary vocabulary, SpeechTokenizerOptions options,
        Func<string, string>? phonemize, Func<string, string>? romanize)
    {
        (_files, _vocabulary, _options, Phonemize, Romanize) = (files, vocabulary, options, phonemize, romanize);
        _special = new SpecialTokenSplitter(options, vocabulary);
    }

    /// <summary>The ids of tokens are below this.</summary>
    public int VocabularySize => _vocabulary.Size;

    /// <summary>Whether the network reads phonemes (<c>phonemize</c>).</summary>
    public bool ReadsPhonemes => _options.Phonemizes;

    /// <summary>Whether texts in other than Latin letters are to be transliterated (<c>is_uroman</c>).</summary>
    public bool ReadsRomanized => _options.Romanizes;

    /// <summary>What makes phonemes of a text; null for none.</summary>
    public Func<string, string>? Phonemize { get; }

    /// <summary>What transliterates a text into Latin letters; null for none.</summary>
    public Func<string, string>? Romanize { get; }

    /// <summary>Loads the tokenizer of a folder.</summary>
    /// <param name="folder">Has <c>vocab.json</c> and, where it is not as the class's defaults are, <c>tokenizer_config.json</c>.</param>
    /// <param name="phonemize">Makes phonemes of a text, as the program espeak does; null for none.</param>
    /// <param name="romanize">Transliterates a text into Latin letters, as the program uroman does; null for none.</param>
    /// <exception cref="FileNotFoundException">There is no <c>vocab.json</c>.</exception>
    /// <exception cref="InvalidDataException">A file is malformed.</exception>
    /// <exception cref="NotSupportedException">The tokenizer is of another class, or asks for what is not supported.</exception>
    public static SpeechTokenizer Load(
        string folder, Func<string, string>? phonemize = null, Func<string, string>? romanize = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var name in SpeechTokenizerOptions.Files)
        {
            var path = Path.Combine(folder, name);
            if (FileOnDisk.Exists(path))
                files.Add(name, FileKind.Tokenizer.Read(path));
        }

        if (!files.ContainsKey(TokenizerFiles.Vocabulary))
        {
            throw new FileNotFoundException(
                $"{folder} has no {TokenizerFiles.Vocabulary}. Give a folder with the tokenizer of a VITS.",
                Path.Combine(folder, TokenizerFiles.Vocabulary));
        }

        return Read(files, phonemize, romanize);
    }

    /// <summary>Makes a tokenizer of the characters that a new network is to know.</summary>
    /// <param name="characters">Each once; <paramref name="padding"/> and <c>&lt;unk&gt;</c> are added.</param>
    /// <param name="padding">The blank, token 0.</param>
    /// <param name="language">As <c>tokenizer_config.json</c> names it; null for none.</param>
    /// <exception cref="ArgumentException">A character occurs twice or is the blank.</exception>
    public static SpeechTokenizer Create(IEnumerable<string> characters, string padding = "_", string? language = null)
    {
        ArgumentNullException.ThrowIfNull(characters);
        ArgumentException.ThrowIfNullOrEmpty(padding);
        var vocabulary = new JsonObject { [padding] = Blank };
        foreach (var character in characters.Append(SpeechTokenizerOptions.UsualUnknown))
        {
            if (string.IsNullOrEmpty(character) || !vocabulary.TryAdd(character, vocabulary.Count))
                throw new ArgumentException($"The character '{character}' is empty or occurs twice.", nameof(characters));
        }

        var configuration = new JsonObject
        {
            ["add_blank"] = true, ["is_uroman"] = false, ["language"] = language, ["normalize"] = true, ["pad_token"] = padding,
            ["phonemize"] = false, ["tokenizer_class"] = SpeechTokenizerOptions.ClassName,
            ["unk_token"] = SpeechTokenizerOptions.UsualUnknown,
        };
        return Read(
            new Dictionary<string, byte[]>
            {
                [TokenizerFiles.Vocabulary] = Format(vocabulary), [TokenizerFiles.Configuration] = Format(configuration),
            },
            null, null);
    }

    /// <summary>The ids of a text's characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isPhonemes">Whether the text is what the network reads already: phonemes, where it reads those.</param>
    /// <returns>Empty where no character of the text is known.</returns>
    /// <exception cref="NotSupportedException">The text is to be made phonemes or Latin letters of, and there is nothing that does
    /// so.</exception>
    /// <exception cref="InvalidDataException">A character is not known, and the vocabulary has no token for such.</exception>
    public int[] Encode(string text, bool isPhonemes = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        foreach (var (piece, special) in _special.Split(Prepare(text, isPhonemes)))
        {
            if (special is { } id)
            {
                ids.Add(id);
                continue;
            }

            if (piece.Length > 0 && _options.AddsBlanks)
                ids.Add(Blank);
            foreach (var rune in piece.EnumerateRunes())
            {
                ids.Add(Id(rune.ToString()));
                if (_options.AddsBlanks)
                    ids.Add(Blank);
            }
        }

        return [.. ids];
    }

    /// <summary>What is read of a text: in lower case, without what the vocabulary lacks, or as phonemes.</summary>
    /// <inheritdoc cref="Encode"/>
    public string Prepare(string text, bool isPhonemes = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (isPhonemes && _options.Phonemizes)
            return SpeechText.CollapseSpaces(text);
        var prepared = _options.Normalizes ? SpeechText.ToLower(text, _special.Pieces) : text;
        if (_options.Language == SpeechTokenizerOptions.Romanian)
            prepared = prepared.Replace('\u021B', '\u0163');
        if (_options.Romanizes && !Ascii.IsValid(prepared))
        {
            prepared = (Romanize ?? throw new NotSupportedException(
                $"{TokenizerFiles.Configuration} says is_uroman: the text '{prepared}' is to be transliterated into Latin letters. Give "
                + $"{nameof(SpeechTokenizer)}.{nameof(Load)} a function that does so (romanize), or texts that are."))(prepared);
        }

        if (_options.Phonemizes)
        {
            return SpeechText.CollapseSpaces((Phonemize ?? throw new NotSupportedException(
                $"{TokenizerFiles.Configuration} says phonemize: the network reads phonemes. Give {nameof(SpeechTokenizer)}.{nameof(Load)} "
                + $"a function that makes them (phonemize), or texts that are phonemes ({nameof(isPhonemes)})."))(prepared));
        }

        return _options.Normalizes ? SpeechText.Keep(prepared, _vocabulary.Ids) : prepared;
    }

    /// <summary>The characters that ids stand for, blanks left out.</summary>
    public string Decode(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var tokens = ids.Select(id => _special.TokenOf(id) ?? _vocabulary.TokenOf(id) ?? "");
        return string.Concat(_options.AddsBlanks && ids.Count > 1 ? tokens.Where((_, index) => index % 2 == 1) : tokens);
    }

    /// <summary>The characters of texts that the vocabulary lacks, which normalizing texts drops: each once, in lower case.</summary>
    public IReadOnlyList<string> UnknownCharacters(IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return
        [
            .. texts.SelectMany(text => (_options.Normalizes ? SpeechText.ToLower(text, _special.Pieces) : text).EnumerateRunes())
                .Select(rune => rune.ToString()).Where(character => !_vocabulary.Ids.ContainsKey(character)).Distinct(),
        ];
    }

    /// <summary>A tokenizer with further characters, which get the ids behind those that there are.</summary>
    /// <param name="characters">Each once, of a new language for example.</param>
    /// <param name="firstId">The first new id, at least <see cref="VocabularySize"/>: where the network has more rows than tokens.</param>
    /// <exception cref="ArgumentException">A character is known already, occurs twice or is longer than one.</exception>
    public SpeechTokenizer WithCharacters(IEnumerable<string> characters, int? firstId = null)
    {
        ArgumentNullException.ThrowIfNull(characters);
        ArgumentOutOfRangeException.ThrowIfLessThan(firstId ?? VocabularySize, VocabularySize, nameof(firstId));
        var vocabulary = new JsonObject(_vocabulary.Ids.OrderBy(token => token.Value)
            .Select(token => KeyValuePair.Create(token.Key, (JsonNode?)token.Value)));
        var id = firstId ?? VocabularySize;
        foreach (var character in characters)
        {
            if (character?.EnumerateRunes().Count() != 1 || !vocabulary.TryAdd(character, id++))
                throw new ArgumentException($"'{character}' is not one character, or is known already.", nameof(characters));
        }

        return Read(new Dictionary<string, byte[]>(_files) { [TokenizerFiles.Vocabulary] = Format(vocabulary) }, Phonemize, Romanize);
    }

    /// <summary>Writes the tokenizer's files into a folder.</summary>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public void Save(string folder) => TokenizerFiles.Write(folder, _files);

    /// <summary>What the configuration says.</summary>
    internal SpeechTokenizerOptions Options => _options;

    /// <summary>The tokens.</summary>
    internal TokenVocabulary Vocabulary => _vocabulary;

    /// <summary>The tokenizer's files by name.</summary>
    internal IReadOnlyDictionary<string, byte[]> Files => _files;

    /// <summary>Reads a tokenizer from its files.</summary>
    internal static SpeechTokenizer Read(
        IReadOnlyDictionary<string, byte[]> files, Func<string, string>? phonemize, Func<string, string>? romanize)
    {
        var tokens = JsonField.Parse(files[TokenizerFiles.Vocabulary], TokenizerFiles.Vocabulary);
        var vocabulary = TokenVocabulary.Read(tokens, TokenizerFiles.Vocabulary);
        if (vocabulary.Ids.ContainsKey(""))
            throw new InvalidDataException($"{TokenizerFiles.Vocabulary} has an empty token.");
        var options = SpeechTokenizerOptions.Read(files);
        if (options.AddsBlanks && vocabulary.TokenOf(Blank) is null)
            throw new InvalidDataException($"{TokenizerFiles.Vocabulary} has no token {Blank}, which add_blank puts between characters.");
        return new SpeechTokenizer(files, vocabulary, options, phonemize, romanize);
    }

    private static byte[] Format(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString(s_indented) + "\n");

    private int Id(string character)
    {
        if (_vocabulary.Ids.TryGetValue(character, out var id))
            return id;
        return _options.UnknownToken is { } unknown && _vocabulary.Ids.TryGetValue(unknown, out id)
            ? id
            : throw new InvalidDataException(
                $"The character '{character}' is not in {TokenizerFiles.Vocabulary}, which has no token for unknown ones "
                + "(unk_token) either.");
    }
}
