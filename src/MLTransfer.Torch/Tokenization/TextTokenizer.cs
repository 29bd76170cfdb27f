namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Text to token ids and back, as the tokenizer files beside a checkpoint say. Loaded once, it does not change and may be used
/// from any number of threads.
/// </summary>
public abstract class TextTokenizer
{
    /// <summary>Loads the tokenizer of a folder in Hugging Face layout.</summary>
    /// <param name="folder">
    /// A folder with <c>tokenizer.json</c>, or with <c>vocab.json</c> and <c>merges.txt</c>; <c>tokenizer_config.json</c>,
    /// <c>special_tokens_map.json</c> and <c>added_tokens.json</c> are read where present. Where both forms are there,
    /// <c>tokenizer.json</c> counts.
    /// </param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder holds no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, contradicts another one, or is larger than any tokenizer.</exception>
    /// <exception cref="NotSupportedException">The tokenizer is of another kind than byte-level BPE.</exception>
    public static TextTokenizer Load(string folder) => Load(TokenizerFiles.Read(folder));

    /// <summary>Loads a tokenizer from the contents of its files, as <see cref="Files"/> returns them.</summary>
    /// <param name="files">File name to content. Files that belong to no tokenizer are ignored.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="FileNotFoundException">The files make no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is malformed or contradicts another one.</exception>
    /// <exception cref="NotSupportedException">The tokenizer is of another kind than byte-level BPE.</exception>
    public static TextTokenizer Load(IReadOnlyDictionary<string, byte[]> files) =>
        ByteLevelBpeTokenizer.Create(TokenizerFiles.Select(files));

    /// <summary>The files that the tokenizer was loaded from, byte for byte: file name to content.</summary>
    public abstract IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>The number of token ids: every id is below it. Added tokens are counted.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The id of the token that begins a sequence (<c>bos_token</c>), if there is one.</summary>
    public abstract int? BeginningOfSequenceId { get; }

    /// <summary>The id of the token that ends a sequence (<c>eos_token</c>), if there is one.</summary>
    public abstract int? EndOfSequenceId { get; }

    /// <summary>The id of the padding token (<c>pad_token</c>), if there is one; GPT-2 has none.</summary>
    public abstract int? PaddingId { get; }

    /// <summary>The id of the token for what the vocabulary cannot express (<c>unk_token</c>), if there is one.</summary>
    public abstract int? UnknownId { get; }

    /// <summary>The ids that decoding leaves out on request.</summary>
    public abstract IReadOnlySet<int> SpecialTokenIds { get; }

    /// <summary>The longest sequence in tokens that the model takes, or <see cref="int.MaxValue"/> where the files name no limit.</summary>
    public abstract int ModelMaximumLength { get; }

    /// <summary>The special tokens before every encoded text.</summary>
    protected abstract ReadOnlySpan<int> LeadingSpecialIds { get; }

    /// <summary>The special tokens after every encoded text.</summary>
    protected abstract ReadOnlySpan<int> TrailingSpecialIds { get; }

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

        var ids = new List<int>(text.Length / 3 + 8);
        if (addSpecialTokens)
            ids.AddRange(LeadingSpecialIds);
        AppendTokens(text, ids);
        if (addSpecialTokens)
            ids.AddRange(TrailingSpecialIds);
        return [.. ids];
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
        ThrowIfNotPositive(options.MaximumLength, nameof(options.MaximumLength));
        ThrowIfNotPositive(options.PadToLength, nameof(options.PadToLength));
        ThrowIfNotPositive(options.PadToMultipleOf, nameof(options.PadToMultipleOf));

        ReadOnlySpan<int> leading = options.AddSpecialTokens ? LeadingSpecialIds : [];
        ReadOnlySpan<int> trailing = options.AddSpecialTokens ? TrailingSpecialIds : [];
        int room = (options.MaximumLength ?? int.MaxValue) - leading.Length - trailing.Length;
        if (room < 0)
        {
            throw new ArgumentException(
                $"{nameof(options.MaximumLength)} is {options.MaximumLength}, but the special tokens around a text alone are " +
                $"{leading.Length + trailing.Length}. Raise it or set {nameof(options.AddSpecialTokens)} to false.", nameof(options));
        }

        int[][] rows = new int[texts.Count][];
        int length = options.PadToLength ?? 0;
        for (int row = 0; row < rows.Length; row++)
        {
            ReadOnlySpan<int> ids = Encode(
                texts[row] ?? throw new ArgumentException($"Text {row} is null.", nameof(texts)), addSpecialTokens: false);
            if (ids.Length > room)
                ids = options.TruncationSide == SequenceSide.Right ? ids[..room] : ids[^room..];
            rows[row] = [.. leading, .. ids, .. trailing];
            length = Math.Max(length, rows[row].Length);
        }

        if (options.PadToMultipleOf is int multiple)
            length = checked((length + multiple - 1) / multiple * multiple);

        return Pad(rows, length, options);
    }

    /// <summary>The text of a sequence of token ids. Bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids. An id within the vocabulary that no token has stands for no text.</param>
    /// <param name="skipSpecialTokens">Whether the tokens of <see cref="SpecialTokenIds"/> are left out.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public abstract string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false);

    /// <summary>A decoder that takes ids one at a time.</summary>
    /// <param name="skipSpecialTokens">Whether the tokens of <see cref="SpecialTokenIds"/> are left out.</param>
    /// <returns>A new decoder for one sequence.</returns>
    public abstract IncrementalDecoder CreateIncrementalDecoder(bool skipSpecialTokens = false);

    /// <summary>
    /// The id of a token as the vocabulary writes it (a space is 'Ġ' in byte-level vocabularies), or null if there is none.
    /// </summary>
    /// <param name="token">The token.</param>
    /// <returns>The id or null.</returns>
    public abstract int? TokenToId(string token);

    /// <summary>The token of an id, as the vocabulary writes it.</summary>
    /// <param name="id">The id.</param>
    /// <returns>The token.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No token has this id.</exception>
    public abstract string IdToToken(int id);

    /// <summary>Appends the tokens of a text, without the special tokens around it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">Takes the token ids.</param>
    protected abstract void AppendTokens(string text, List<int> ids);

    private EncodedBatch Pad(int[][] rows, int length, EncodingOptions options)
    {
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

    private static void ThrowIfNotPositive(int? value, string option)
    {
        if (value <= 0)
            throw new ArgumentException($"{nameof(EncodingOptions)}.{option} is {value}; it must be positive, or null for none.", option);
    }
}
