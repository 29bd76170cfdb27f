using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// GPT-2's byte-level byte-pair encoding (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2;
/// file formats of the GPT-2 release and of Hugging Face's tokenizers 1.0). Token by token it gives what `AutoTokenizer` gives for
/// the same files.
/// </summary>
/// <remarks>
/// <para>
/// Microsoft.ML.Tokenizers has byte-level BPE too. Of it this class takes the contract for pre-tokenization
/// (<see cref="Gpt2PreTokenizer"/> is a <see cref="Microsoft.ML.Tokenizers.PreTokenizer"/>), not the encoders, which in version
/// 2.0.1 differ from the reference: `BpeTokenizer` and `TiktokenTokenizer` take quadratic time for long unbroken words (14 s for
/// 400,000 letters) and do not know the flags of added tokens; `TiktokenTokenizer` also joins any two neighbours whose union is a
/// token, in the order of ids, whatever the merges are; `CodeGenTokenizer` and `EnglishRobertaTokenizer` have tokens of their own
/// built in. On words of ordinary length `BpeTokenizer` agrees, and the tests compare with it.
/// </para>
/// <para>
/// `clean_up_tokenization_spaces`, an edit of English text after decoding, is not applied: decoding gives back what was encoded.
/// </para>
/// </remarks>
internal sealed class ByteLevelBpeTokenizer : TextTokenizer
{
    // GPT-2's one special token, which its class in transformers assumes where no file names another.
    private const string EndOfText = "<|endoftext|>";

    private static readonly FrozenSet<string> s_gpt2Classes = FrozenSet.Create(
        "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizer", "GPTNeoXTokenizerFast", "CodeGenTokenizer", "CodeGenTokenizerFast");

    private readonly BytePairModel _model;
    private readonly BytePairMerger _merger;
    private readonly WordCache _cache = new();
    private readonly bool _addsPrefixSpace;
    private readonly int[] _leadingSpecialIds;
    private readonly int[] _trailingSpecialIds;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _modelIdLookup;
    private readonly int _longestModelToken;
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;
    private readonly byte[][] _tokenBytes;
    private readonly FrozenSet<int> _specialTokenIds;
    private readonly AddedTokenMatcher? _rawTextTokens;
    private readonly AddedTokenMatcher? _normalizedTextTokens;

    private ByteLevelBpeTokenizer(BytePairModel model, TokenizerConfiguration configuration, IReadOnlyDictionary<string, byte[]> files)
    {
        Files = files;
        _model = model;
        _addsPrefixSpace = configuration.AddsPrefixSpace ?? model.AddsPrefixSpace;
        ModelMaximumLength = configuration.ModelMaximumLength;

        TokenVocabulary vocabulary = model.Vocabulary;
        // Added tokens are not words of the model.
        var modelIds = new Dictionary<string, int>(vocabulary.Ids, StringComparer.Ordinal);
        _longestModelToken = modelIds.Keys.Max(token => token.Length);
        _modelIdLookup = modelIds.GetAlternateLookup<ReadOnlySpan<char>>();

        int? unknownId = model.UnknownToken is null ? null : modelIds.TryGetValue(model.UnknownToken, out int unknown) ? unknown
            : throw new InvalidDataException($"{model.MergesFile}: unk_token '{model.UnknownToken}' is not in the vocabulary.");
        _merger = new BytePairMerger(modelIds, model.Merges, unknownId, model.MergesFile);

        AssumeGpt2Roles(configuration, vocabulary);
        Dictionary<string, (AddedToken Token, int Id)> added = CollectAddedTokens(model, configuration);
        _specialTokenIds = added.Values.Where(entry => entry.Token.Special).Select(entry => entry.Id).ToFrozenSet();
        _rawTextTokens = AddedTokenMatcher.Create(added.Where(entry => !entry.Value.Token.Normalized)
            .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal));
        _normalizedTextTokens = AddedTokenMatcher.Create(added.Where(entry => entry.Value.Token.Normalized)
            .DistinctBy(entry => Normalize(entry.Key))
            .ToDictionary(entry => Normalize(entry.Key), entry => entry.Value, StringComparer.Ordinal));

        _ids = vocabulary.Ids;
        _tokens = vocabulary.ToArray();
        _tokenBytes = [.. _tokens.Select(token => token is null ? [] : ByteLevelAlphabet.BytesOf(token))];

        int? IdOf(string role) => configuration.Roles.GetValueOrDefault(role) is AddedToken token ? _ids[token.Content] : null;
        BeginningOfSequenceId = IdOf("bos_token");
        EndOfSequenceId = IdOf("eos_token");
        PaddingId = IdOf("pad_token");
        UnknownId = IdOf("unk_token") ?? unknownId;

        (_leadingSpecialIds, _trailingSpecialIds) = model.Template ?? (
            configuration.AddsBeginningOfSequence ? [Required(BeginningOfSequenceId, "add_bos_token", "bos_token")] : [],
            configuration.AddsEndOfSequence ? [Required(EndOfSequenceId, "add_eos_token", "eos_token")] : []);
        foreach (int id in (int[])[.. _leadingSpecialIds, .. _trailingSpecialIds])
        {
            if (id >= VocabularySize || _tokens[id] is null)
                throw new InvalidDataException($"{TokenizerFiles.Tokenizer}: the post-processor adds id {id}, which no token has.");
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <inheritdoc/>
    public override int VocabularySize => _tokens.Length;

    /// <inheritdoc/>
    public override int? BeginningOfSequenceId { get; }

    /// <inheritdoc/>
    public override int? EndOfSequenceId { get; }

    /// <inheritdoc/>
    public override int? PaddingId { get; }

    /// <inheritdoc/>
    public override int? UnknownId { get; }

    /// <inheritdoc/>
    public override IReadOnlySet<int> SpecialTokenIds => _specialTokenIds;

    /// <inheritdoc/>
    public override int ModelMaximumLength { get; }

    /// <summary>The number of words whose tokens are kept at the moment.</summary>
    internal int CachedWords => _cache.Count;

    /// <inheritdoc/>
    protected override ReadOnlySpan<int> LeadingSpecialIds => _leadingSpecialIds;

    /// <inheritdoc/>
    protected override ReadOnlySpan<int> TrailingSpecialIds => _trailingSpecialIds;

    /// <inheritdoc/>
    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        int length = 0;
        foreach (int id in ids)
            length = checked(length + TokenBytes(id, skipSpecialTokens).Length);

        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int position = 0;
            foreach (int id in ids)
            {
                ReadOnlySpan<byte> bytes = TokenBytes(id, skipSpecialTokens);
                bytes.CopyTo(buffer.AsSpan(position));
                position += bytes.Length;
            }

            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public override IncrementalDecoder CreateIncrementalDecoder(bool skipSpecialTokens = false) =>
        new ByteLevelIncrementalDecoder(this, skipSpecialTokens);

    /// <inheritdoc/>
    public override int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _ids.TryGetValue(token, out int id) ? id : null;
    }

    /// <inheritdoc/>
    public override string IdToToken(int id)
    {
        ThrowIfOutOfVocabulary(id);
        return _tokens[id] ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"No token has id {id}.");
    }

    internal static ByteLevelBpeTokenizer Create(IReadOnlyDictionary<string, byte[]> files)
    {
        var configuration = TokenizerConfiguration.Read(files);
        if (files.TryGetValue(TokenizerFiles.Tokenizer, out byte[]? tokenizer))
            return new ByteLevelBpeTokenizer(TokenizerJson.Read(tokenizer), configuration, files);

        // Other tokenizers store vocab.json and merges.txt too, with other rules for words (CLIP, CTRL) or special tokens (RoBERTa).
        if (configuration.TokenizerClass is string name && !s_gpt2Classes.Contains(name))
        {
            throw new NotSupportedException(
                $"{TokenizerFiles.Configuration}: tokenizer_class '{name}' with {TokenizerFiles.Vocabulary} and {TokenizerFiles.Merges} " +
                $"is not supported; expected GPT2Tokenizer, or a {TokenizerFiles.Tokenizer}.");
        }

        var model = BytePairModel.ReadVocabularyAndMerges(files[TokenizerFiles.Vocabulary], files[TokenizerFiles.Merges]);
        return new ByteLevelBpeTokenizer(model, configuration, files);
    }

    /// <summary>The bytes that a token stands for; none for a special token that is to be skipped.</summary>
    internal ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecialTokens)
    {
        ThrowIfOutOfVocabulary(id);
        return skipSpecialTokens && _specialTokenIds.Contains(id) ? [] : _tokenBytes[id];
    }

    /// <inheritdoc/>
    protected override void AppendTokens(string text, List<int> ids)
    {
        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_rawTextTokens, text))
        {
            if (piece.Id >= 0)
                ids.Add(piece.Id);
            else if (_model.ComposesCharacters)
                AppendNormalized(Normalize(piece.Text.ToString()), ids);
            else
                AppendNormalized(piece.Text, ids);
        }
    }

    private void AppendNormalized(ReadOnlySpan<char> text, List<int> ids)
    {
        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_normalizedTextTokens, text))
        {
            if (piece.Id >= 0)
                ids.Add(piece.Id);
            else if (_addsPrefixSpace && piece.Text[0] != ' ')
                AppendWords(string.Concat(" ", piece.Text), ids);
            else
                AppendWords(piece.Text, ids);
        }
    }

    private void AppendWords(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            int length = _model.SplitsWords ? Gpt2PreTokenizer.FirstWordLength(text) : text.Length;
            AppendWord(text[..length], ids);
            text = text[length..];
        }
    }

    private void AppendWord(ReadOnlySpan<char> word, List<int> ids)
    {
        if (_cache.TryGet(word, out int[]? known))
        {
            ids.AddRange(known.AsSpan());
            return;
        }

        int first = ids.Count;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(word.Length));
        try
        {
            ReadOnlySpan<byte> utf8 = bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes));
            if (_model.IgnoreMerges && WholeWordId(utf8) is int id)
                ids.Add(id);
            else
                _merger.Encode(utf8, ids);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _cache.Add(word, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    private int? WholeWordId(ReadOnlySpan<byte> word)
    {
        if (word.Length > _longestModelToken)
            return null;

        Span<char> characters = word.Length <= 256 ? stackalloc char[256] : new char[word.Length];
        characters = characters[..word.Length];
        for (int i = 0; i < word.Length; i++)
            characters[i] = ByteLevelAlphabet.CharacterOf(word[i]);
        return _modelIdLookup.TryGetValue(characters, out int id) ? id : null;
    }

    private string Normalize(string text)
    {
        if (!_model.ComposesCharacters)
            return text;

        // By way of UTF-8, since normalization refuses unpaired surrogates.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Normalize(NormalizationForm.FormC);
    }

    private void ThrowIfOutOfVocabulary(int id)
    {
        if ((uint)id >= (uint)_tokens.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(id), id, $"Token id {id} is outside the vocabulary of {_tokens.Length} tokens (0 to {_tokens.Length - 1}).");
        }
    }

    private static int Required(int? id, string option, string role) => id ?? throw new InvalidDataException(
        $"{TokenizerFiles.Configuration}: {option} is true, but no file names a {role}.");

    private static void AssumeGpt2Roles(TokenizerConfiguration configuration, TokenVocabulary vocabulary)
    {
        if (!(configuration.TokenizerClass is not string name || s_gpt2Classes.Contains(name)) || !vocabulary.Ids.ContainsKey(EndOfText))
            return;
        foreach (string role in (string[])["bos_token", "eos_token", "unk_token"])
            configuration.Roles.TryAdd(role, AddedToken.SpecialOf(EndOfText));
    }

    /// <summary>
    /// The added tokens by text, with the flags of the last file that lists them, in transformers' order: the tokenizer's own, the
    /// configuration's, then special tokens that neither lists, which get the next free ids if the vocabulary lacks them.
    /// </summary>
    private static Dictionary<string, (AddedToken Token, int Id)> CollectAddedTokens(
        BytePairModel model, TokenizerConfiguration configuration)
    {
        var added = new Dictionary<string, (AddedToken Token, int Id)>(StringComparer.Ordinal);
        foreach ((AddedToken token, int id, string file) in
            model.AddedTokens.Select(entry => (entry.Token, entry.Id, TokenizerFiles.Tokenizer)).Concat(configuration.AddedTokens))
        {
            if (token.Content.Length == 0)
                throw new InvalidDataException($"{file}: the added token of id {id} is empty.");
            model.Vocabulary.Add(token.Content, id, file);
            added[token.Content] = (token, id);
        }

        foreach (AddedToken special in configuration.Roles.Values.OfType<AddedToken>().Concat(configuration.AdditionalSpecialTokens))
        {
            if (added.TryGetValue(special.Content, out (AddedToken Token, int Id) known))
            {
                added[special.Content] = (known.Token with { Special = true }, known.Id);
                continue;
            }

            if (!model.Vocabulary.Ids.TryGetValue(special.Content, out int id))
                model.Vocabulary.Add(special.Content, id = model.Vocabulary.Size, TokenizerFiles.Configuration);
            added[special.Content] = (special, id);
        }

        return added;
    }
}
