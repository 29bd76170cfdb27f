using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.Training;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Text to token ids and back, as the tokenizer files beside a checkpoint say. Loaded once, it does not change and may be used
/// from any number of threads.
/// </summary>
/// <remarks>
/// A <c>tokenizer.json</c> alone gives what Hugging Face's tokenizers give for it. With a <c>tokenizer_config.json</c> beside it the
/// result is that of transformers' `AutoTokenizer`, which changes some stages by what stands there.
/// </remarks>
public sealed class TextTokenizer
{
    private readonly TokenizerPipeline _pipeline;
    private readonly IPostProcessor? _postProcessor;
    private readonly IDecoder _decoder;
    private readonly IDecoder _plainDecoder; // leaves spaces as they are
    private readonly Lazy<WordBoundaries> _words;
    private readonly TokenVocabulary _vocabulary;
    private readonly FrozenSet<int> _specialTokenIds;
    private readonly Lazy<byte[][]>? _tokenBytes; // where tokens are bytes and nothing else
    private readonly int[]? _leadingIds;          // null where the ids around a text are not the same for every one
    private readonly int[]? _trailingIds;
    private readonly bool _emptyPairIsNone;
    private readonly bool _splitsSpecialTokens;

    internal TextTokenizer(TokenizerParts parts)
    {
        Files = parts.Files;
        _vocabulary = parts.Vocabulary;
        _pipeline = new TokenizerPipeline(parts.Description, parts.Vocabulary, parts.AddedTokens);
        _postProcessor = parts.Description.PostProcessor;
        _decoder = parts.Description.Decoder;
        _plainDecoder = _decoder is DecoderSequence { Stages: [.. var before, CleanupDecoder] } ? new DecoderSequence([.. before])
            : _decoder;
        FileOptions = parts.Description.EncodingOptions;
        AddedTokenIds = parts.AddedTokens.Values.Select(entry => entry.Id).ToFrozenSet();
        NamedSpecialTokens =
        [
            .. TokenizerConfiguration.RoleNames.Select(role => (Name: role, parts.IdOf(role)?.Token))
                .Where(named => named.Token is not null)
                .Select(named => (named.Name, named.Token!)),
            .. parts.Configuration.NamedSpecialTokens.Select(named => (named.Name, named.Token.Content)),
        ];
        AdditionalSpecialTokens = [.. parts.Configuration.AdditionalSpecialTokens.Select(token => token.Content)];
        _specialTokenIds = parts.AddedTokens.Values.Where(entry => entry.Token.Special).Select(entry => entry.Id)
            .Concat(parts.Description.HiddenSpecialIds).ToFrozenSet();
        if (_decoder is ByteLevelDecoder)
        {
            _tokenBytes = new Lazy<byte[][]>(() =>
                [.. _vocabulary.ToArray().Select(token => token is null ? [] : ByteLevelAlphabet.BytesOf(token))]);
        }

        _words = new Lazy<WordBoundaries>(() => WordBoundaries.Of(parts.Description, _vocabulary, _specialTokenIds));
        (_leadingIds, _trailingIds) = FindSpecialIds();
        _emptyPairIsNone = parts.Configuration.Main is not null;
        _splitsSpecialTokens = parts.Configuration.SplitsSpecialTokens;
        ModelMaximumLength = parts.Configuration.ModelMaximumLength;
        BeginningOfSequenceId = parts.IdOf("bos_token")?.Id;
        EndOfSequenceId = parts.IdOf("eos_token")?.Id;
        PaddingId = parts.IdOf("pad_token")?.Id;
        UnknownId = parts.UnknownId;
        MaskId = parts.IdOf("mask_token")?.Id;
    }

    /// <summary>Loads the tokenizer of a folder in Hugging Face layout, or that in a GGUF file.</summary>
    /// <param name="folder">
    /// A folder with one of these, of which the first counts: <c>tokenizer.json</c>; <c>vocab.json</c> and <c>merges.txt</c>;
    /// <c>vocab.txt</c> (WordPiece); <c>tokenizer.model</c>, <c>spiece.model</c> or <c>sentencepiece.bpe.model</c> (SentencePiece, or
    /// ranks of tiktoken). <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> are read where
    /// present. Or the path of a file <c>*.gguf</c>.
    /// </param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder holds no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, contradicts another one, or is larger than any tokenizer.</exception>
    /// <exception cref="NotSupportedException">A file has a stage, or an option of one, that is not known; it is named.</exception>
    public static TextTokenizer Load(string folder) => Load(TokenizerFiles.Read(folder));

    /// <summary>Loads a tokenizer from the contents of its files, as <see cref="Files"/> returns them.</summary>
    /// <param name="files">File name to content. Files that belong to no tokenizer are ignored.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="FileNotFoundException">The files make no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is malformed or contradicts another one.</exception>
    /// <exception cref="NotSupportedException">A file has a stage, or an option of one, that is not known; it is named.</exception>
    public static TextTokenizer Load(IReadOnlyDictionary<string, byte[]> files) =>
        new(TokenizerParts.Read(TokenizerFiles.Select(files)));

    /// <summary>The tokenizer with another chat template among its files.</summary>
    internal TextTokenizer WithChatTemplate(string template) => Load(
        new Dictionary<string, byte[]>(Files) { [TokenizerFiles.ChatTemplate] = Encoding.UTF8.GetBytes(template) });

    /// <summary>
    /// A tokenizer with further tokens, which are found in a text as they stand (<c>add_tokens</c> of transformers). They get the ids from
    /// <see cref="VocabularySize"/> on, in the order in which they are given; those that this tokenizer has already keep theirs.
    /// </summary>
    /// <param name="tokens">Their texts.</param>
    /// <returns>A new tokenizer; this one where it has all of them.</returns>
    /// <exception cref="ArgumentException">A text is empty.</exception>
    public TextTokenizer WithTokens(IReadOnlyList<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A token to add is empty; expected texts.", nameof(tokens));
        return WithAdded(tokens, static token => new AddedToken(token, false, false, false, Normalized: true, Special: false));
    }

    /// <summary>A tokenizer with further words, as <see cref="WithTokens"/>, which are found where no letter touches them, and take the
    /// space before them along.</summary>
    internal TextTokenizer WithWords(IReadOnlyList<string> words) =>
        WithAdded(words, static word => new AddedToken(word, SingleWord: true, LeftStrip: true, false, Normalized: true, Special: false));

    private TextTokenizer WithAdded(IReadOnlyList<string> tokens, Func<string, AddedToken> add)
    {
        List<AddedToken> missing =
            [.. tokens.Distinct(StringComparer.Ordinal).Where(token => TokenToId(token) is null).Select(add)];
        return missing.Count == 0 ? this : Load(TokenizerAdditions.Write(Files, missing));
    }

    /// <summary>Trains a tokenizer, for models that are trained from nothing.</summary>
    /// <remarks>
    /// The same texts and options give the same tokenizer, in whatever order the texts come. They are read once and one by one; what is
    /// kept
    /// are the different words. Text of special tokens within them counts for no word.
    /// </remarks>
    /// <param name="texts">The texts, such as lines or documents.</param>
    /// <param name="options">What to make; null for byte pairs at byte level with 8,000 tokens.</param>
    /// <param name="progress">Told how far it has come; null for nobody.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A tokenizer whose <see cref="Files"/> are <c>tokenizer.json</c> and <c>tokenizer_config.json</c>.</returns>
    /// <exception cref="ArgumentException">
    /// An option cannot be used, no text has a word, or the characters of the texts are more than the vocabulary has room for.
    /// </exception>
    public static TextTokenizer Train(
        IEnumerable<string> texts,
        TokenizerTrainingOptions? options = null,
        IProgress<TokenizerTrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return TokenizerTrainer.Train(texts, options ?? new(), new TrainingWatch(progress, cancellationToken));
    }

    /// <summary>The files that the tokenizer was loaded from, byte for byte, or that were made in training: file name to content.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>The number of token ids: every id is below it. Added tokens are counted.</summary>
    public int VocabularySize => _vocabulary.Size;

    /// <summary>The id of the token that begins a sequence (<c>bos_token</c>), if there is one.</summary>
    public int? BeginningOfSequenceId { get; }

    /// <summary>The id of the token that ends a sequence (<c>eos_token</c>), if there is one.</summary>
    public int? EndOfSequenceId { get; }

    /// <summary>The id of the padding token (<c>pad_token</c>), if there is one; GPT-2 has none.</summary>
    public int? PaddingId { get; }

    /// <summary>The id of the token for what the vocabulary cannot express (<c>unk_token</c>), if there is one.</summary>
    public int? UnknownId { get; }

    /// <summary>The id of the token that stands for a hidden one (<c>mask_token</c>), if there is one.</summary>
    public int? MaskId { get; }

    /// <summary>The ids that decoding leaves out on request.</summary>
    public IReadOnlySet<int> SpecialTokenIds => _specialTokenIds;

    /// <summary>The longest sequence in tokens that the model takes, or <see cref="int.MaxValue"/> where the files name no limit.</summary>
    public int ModelMaximumLength { get; }

    /// <summary>
    /// The truncation and padding that <c>tokenizer.json</c> asks for, or null. They are applied where they are given to
    /// <see cref="EncodeTexts"/>, <see cref="EncodeText"/> or <see cref="EncodeBatch"/>.
    /// </summary>
    public EncodingOptions? FileOptions { get; }

    /// <summary>The ids of tokens that are found in a text as it stands.</summary>
    internal IReadOnlySet<int> AddedTokenIds { get; }

    /// <summary>The special tokens that have a name, such as <c>bos_token</c>, each with its text.</summary>
    internal IReadOnlyList<(string Name, string Token)> NamedSpecialTokens { get; }

    /// <summary>The texts of special tokens without a name.</summary>
    internal IReadOnlyList<string> AdditionalSpecialTokens { get; }

    /// <summary>The special tokens that are put around a text; null where they are not the same for every one.</summary>
    internal (IReadOnlyList<int> Leading, IReadOnlyList<int> Trailing)? AroundText =>
        _leadingIds is null || _trailingIds is null ? null : (_leadingIds, _trailingIds);

    /// <summary>The special tokens that <see cref="Encode(string, bool)"/> puts before every text; none where they differ by
    /// text.</summary>
    internal ReadOnlySpan<int> LeadingIds => _leadingIds;

    /// <summary>The special tokens that <see cref="Encode(string, bool)"/> puts behind every text; none where they differ by
    /// text.</summary>
    internal ReadOnlySpan<int> TrailingIds => _trailingIds;

    /// <summary>The token that ends a text: <see cref="EndOfSequenceId"/>, else what stands behind every text, as <c>[SEP]</c>
    /// does.</summary>
    internal int? TextEndId => EndOfSequenceId ?? (_trailingIds is [.., var last] ? last : null);

    /// <summary>Where words begin among tokens.</summary>
    internal WordBoundaries Words => _words.Value;

    /// <summary>The number of words whose tokens are kept at the moment.</summary>
    internal int CachedWords => (_pipeline.Model as BytePairModel)?.CachedWords ?? 0;

    /// <summary>
    /// Writes the tokenizer's files into a folder, created if need be, each aside and then renamed into place. They are the files
    /// that it was loaded from, so that other programs read the same tokenizer.
    /// </summary>
    /// <param name="folder">The folder to write to.</param>
    public void Save(string folder) => TokenizerFiles.Write(folder, Files);

    /// <summary>Encodes a text. Text of special and added tokens within it becomes those tokens.</summary>
    /// <param name="text">Any text; an unpaired surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to add the special tokens that the tokenizer puts around a text; GPT-2 puts none.</param>
    /// <returns>The token ids.</returns>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(text, addSpecialTokens, _splitsSpecialTokens);
    }

    /// <summary>Encodes a text, or a pair of texts, and tells of each token which part of the text it stands for.</summary>
    /// <param name="text">Any text; an unpaired surrogate counts as U+FFFD.</param>
    /// <param name="pair">The second text, or null. With a <c>tokenizer_config.json</c> an empty one counts as none.</param>
    /// <param name="options">Length, padding and special tokens; null: neither cut nor padded.</param>
    /// <returns>The tokens.</returns>
    /// <exception cref="ArgumentException">An option is out of range, or the text cannot be cut that way.</exception>
    public TextEncoding EncodeText(string text, string? pair = null, EncodingOptions? options = null) =>
        EncodeTexts([(text, pair)], options)[0];

    /// <summary>Encodes texts, or pairs of texts, as <see cref="EncodeText"/> does; padding is to the longest of them.</summary>
    /// <param name="texts">The texts, each with its second text or null.</param>
    /// <param name="options">Length, padding and special tokens; null: neither cut nor padded.</param>
    /// <returns>The encodings in the order of the texts.</returns>
    /// <exception cref="ArgumentException">An option is out of range, or a text cannot be cut that way.</exception>
    public IReadOnlyList<TextEncoding> EncodeTexts(IReadOnlyList<(string Text, string? Pair)> texts, EncodingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new EncodingOptions { Pads = false };
        EncodingLength.ThrowIfInvalid(options);
        var parts = new List<EncodedPart>(texts.Count);
        foreach ((string text, string? pair) in texts)
        {
            ArgumentNullException.ThrowIfNull(text);
            bool splitsSpecial = options.SplitSpecialTokens ?? _splitsSpecialTokens;
            EncodedPart first = _pipeline.EncodePart(text, 0, splitsSpecial);
            EncodedPart? second = pair is null || _emptyPairIsNone && pair.Length == 0 ? null
                : _pipeline.EncodePart(pair, 1, splitsSpecial);
            if (options.MaximumLength is int maximum)
            {
                int added = options.AddSpecialTokens ? _postProcessor?.CountAdded(second is not null) ?? 0 : 0;
                (first, second) = EncodingLength.Truncate(first, second, maximum, added, options);
            }

            List<EncodedPart> sequences = second is null ? [first] : [first, second];
            parts.Add(EncodedPart.Join(_postProcessor?.Process(sequences, options.AddSpecialTokens) ?? sequences));
        }

        if (options.Pads)
        {
            int id = options.PaddingId ?? PaddingId ?? EndOfSequenceId ?? -1;
            EncodingLength.Pad(parts, id, options.PaddingToken ?? (id < 0 ? null : _vocabulary.TokenOf(id)) ?? "", options);
        }

        return [.. parts.Select(part => part.ToEncoding())];
    }

    /// <summary>Encodes texts, each cut to length, and pads them to one rectangle with its attention mask.</summary>
    /// <param name="texts">The texts, one a row.</param>
    /// <param name="options">Lengths and sides; null: no truncation, padding on the right to the longest row.</param>
    /// <returns>The rows in the order of the texts.</returns>
    /// <exception cref="ArgumentException">An option is not positive, or the maximum length has no room for the special tokens.</exception>
    /// <exception cref="InvalidOperationException">Padding is needed and there is no token for it.</exception>
    public EncodedBatch EncodeBatch(IReadOnlyList<string> texts, EncodingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new EncodingOptions();
        EncodingLength.ThrowIfInvalid(options);
        if (options.AddSpecialTokens && _leadingIds is null)
            return Pad([.. texts.Select(text => EncodeText(text, null, WithoutPadding(options)).Ids.ToArray())], options);

        ReadOnlySpan<int> leading = options.AddSpecialTokens ? _leadingIds : [];
        ReadOnlySpan<int> trailing = options.AddSpecialTokens ? _trailingIds : [];
        int room = (options.MaximumLength ?? int.MaxValue) - leading.Length - trailing.Length;
        if (room < 0)
        {
            throw new ArgumentException(
                $"{nameof(options.MaximumLength)} is {options.MaximumLength}, but the special tokens around a text alone are " +
                $"{leading.Length + trailing.Length}. Raise it or set {nameof(options.AddSpecialTokens)} to false.", nameof(options));
        }

        int[][] rows = new int[texts.Count][];
        for (int row = 0; row < rows.Length; row++)
        {
            ReadOnlySpan<int> ids = Encode(
                texts[row] ?? throw new ArgumentException($"Text {row} is null.", nameof(texts)), addSpecialTokens: false,
                options.SplitSpecialTokens ?? _splitsSpecialTokens);
            if (ids.Length > room)
                ids = options.TruncationSide == SequenceSide.Right ? ids[..room] : ids[^room..];
            rows[row] = [.. leading, .. ids, .. trailing];
        }

        return Pad(rows, options);
    }

    /// <summary>The text of a sequence of token ids. Bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids. An id within the vocabulary that no token has stands for no text.</param>
    /// <param name="skipSpecialTokens">Whether the tokens of <see cref="SpecialTokenIds"/> are left out.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        return DecodeStages(ids, skipSpecialTokens, _decoder);
    }

    /// <summary>The text of a sequence of token ids with the spaces that the tokens say, whatever the configuration would clean
    /// up.</summary>
    /// <inheritdoc cref="Decode"/>
    internal string DecodeWithoutCleanup(ReadOnlySpan<int> ids, bool skipSpecialTokens = false) =>
        DecodeStages(ids, skipSpecialTokens, _plainDecoder);

    /// <summary>A decoder that takes ids one at a time.</summary>
    /// <param name="skipSpecialTokens">Whether the tokens of <see cref="SpecialTokenIds"/> are left out.</param>
    /// <returns>A new decoder for one sequence.</returns>
    public IncrementalDecoder CreateIncrementalDecoder(bool skipSpecialTokens = false) =>
        new StageIncrementalDecoder(_decoder.Start(new DecodingMode(IsFused: false, IsStreamed: true)), id =>
            TokenToDecode(id, skipSpecialTokens));

    /// <summary>
    /// The id of a token as the vocabulary writes it (a space is 'Ġ' in byte-level vocabularies), or null if there is none.
    /// </summary>
    /// <param name="token">The token.</param>
    /// <returns>The id or null.</returns>
    public int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _vocabulary.Ids.TryGetValue(token, out int id) ? id : null;
    }

    /// <summary>The token of an id, as the vocabulary writes it.</summary>
    /// <param name="id">The id.</param>
    /// <returns>The token.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No token has this id.</exception>
    public string IdToToken(int id)
    {
        ThrowIfOutOfVocabulary(id);
        return _vocabulary.TokenOf(id) ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"No token has id {id}.");
    }

    /// <summary>The id of the mask token, which there must be.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    internal int RequiredMaskId() => MaskId ?? throw new ArgumentException(
        "The tokenizer has no mask token (mask_token of tokenizer_config.json or special_tokens_map.json), which stands for what is to be "
        + "filled in. Use the tokenizer of a model that fills masks.");

    /// <summary>Whether an id has a token.</summary>
    internal bool HasToken(int id) => _vocabulary.TokenOf(id) is not null;

    private int[] Encode(string text, bool addSpecialTokens, bool splitsSpecialTokens)
    {
        if (addSpecialTokens && _leadingIds is null)
            return [.. EncodeText(text, null, new EncodingOptions { Pads = false, SplitSpecialTokens = splitsSpecialTokens }).Ids];

        var tokens = new TokenBuffer(text.Length / 3 + 8, keepsUnits: false);
        if (addSpecialTokens)
            tokens.Ids.AddRange(_leadingIds.AsSpan());
        _pipeline.Encode(text, splitsSpecialTokens, tokens);
        if (addSpecialTokens)
            tokens.Ids.AddRange(_trailingIds.AsSpan());
        return [.. tokens.Ids];
    }

    private string DecodeStages(ReadOnlySpan<int> ids, bool skipSpecialTokens, IDecoder decoder)
    {
        if (_tokenBytes is not null)
            return DecodeBytes(ids, skipSpecialTokens);
        DecoderRun run = decoder.Start(new DecodingMode());
        var texts = new List<string>();
        foreach (int id in ids)
        {
            if (TokenToDecode(id, skipSpecialTokens) is string token)
                run.Push(token, texts);
        }

        run.Flush(texts);
        return string.Concat(texts);
    }

    private string DecodeBytes(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        byte[][] tokenBytes = _tokenBytes!.Value;
        int length = 0;
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)tokenBytes.Length)
                ThrowIfOutOfVocabulary(id);
            length = checked(length + tokenBytes[id].Length);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Span<byte> rest = buffer;
            foreach (int id in ids)
            {
                if (skipSpecialTokens && _specialTokenIds.Contains(id))
                    continue;
                ReadOnlySpan<byte> bytes = tokenBytes[id];
                bytes.CopyTo(rest);
                rest = rest[bytes.Length..];
            }

            return Encoding.UTF8.GetString(buffer, 0, buffer.Length - rest.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A token as decoders take it; null for one that is left out, or for an id that no token has.</summary>
    private string? TokenToDecode(int id, bool skipSpecialTokens)
    {
        ThrowIfOutOfVocabulary(id);
        return skipSpecialTokens && _specialTokenIds.Contains(id) ? null : _vocabulary.TokenOf(id);
    }

    private void ThrowIfOutOfVocabulary(int id)
    {
        if ((uint)id >= (uint)VocabularySize)
        {
            throw new ArgumentOutOfRangeException(
                nameof(id), id, $"Token id {id} is outside the vocabulary of {VocabularySize} tokens (0 to {VocabularySize - 1}).");
        }
    }

    /// <summary>The ids around every single text, found by processing a token that is none.</summary>
    private (int[]?, int[]?) FindSpecialIds()
    {
        if (_postProcessor is null)
            return ([], []);
        const int Text = -1;
        var text = new EncodedPart { Tokens = [new EncodedToken(Text, "", 0, 0, 0, 0, IsSpecial: false)] };
        int[] ids = [.. EncodedPart.Join(_postProcessor.Process([text], addsSpecialTokens: true)).Tokens.Select(token => token.Id)];
        foreach (int id in ids)
        {
            if (id != Text && (id >= VocabularySize || _vocabulary.TokenOf(id) is null))
                throw new InvalidDataException($"{TokenizerFiles.Tokenizer}: the post-processor adds id {id}, which no token has.");
        }

        return ids.Count(id => id == Text) == 1 && Array.IndexOf(ids, Text) is var place ? (ids[..place], ids[(place + 1)..])
            : (null, null);
    }

    private static EncodingOptions WithoutPadding(EncodingOptions options) => new()
    {
        Pads = false,
        MaximumLength = options.MaximumLength,
        TruncationSide = options.TruncationSide,
        AddSpecialTokens = options.AddSpecialTokens,
        SplitSpecialTokens = options.SplitSpecialTokens,
    };

    private EncodedBatch Pad(int[][] rows, EncodingOptions options)
    {
        int length = Math.Max(options.PadToLength ?? 0, rows.Select(row => row.Length).DefaultIfEmpty().Max());
        if (options.PadToMultipleOf is int multiple)
            length = checked((length + multiple - 1) / multiple * multiple);

        int? paddingId = options.PaddingId ?? PaddingId ?? EndOfSequenceId;
        if (paddingId is null && rows.Any(row => row.Length < length))
        {
            throw new InvalidOperationException(
                "The rows need padding, but the tokenizer has neither a padding nor an end-of-sequence token. " +
                $"Set {nameof(EncodingOptions)}.{nameof(EncodingOptions.PaddingId)}.");
        }

        long[] inputIds = new long[checked(rows.Length * length)];
        long[] attentionMask = new long[inputIds.Length];
        Array.Fill(inputIds, paddingId ?? 0);
        for (int row = 0; row < rows.Length; row++)
        {
            int start = row * length + (options.PaddingSide == SequenceSide.Left ? length - rows[row].Length : 0);
            for (int position = 0; position < rows[row].Length; position++)
                inputIds[start + position] = rows[row][position];
            attentionMask.AsSpan(start, rows[row].Length).Fill(1);
        }

        return new EncodedBatch(inputIds, attentionMask, rows.Length, length);
    }
}
