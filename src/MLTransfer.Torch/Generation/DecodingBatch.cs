namespace MLTransfer.Torch.Generation;

/// <summary>
/// Sequences that a network reads together, one token of each at a time: the key-value cache and the logits of the next tokens.
/// </summary>
/// <remarks>
/// <para>
/// Rows end at the same cache position and begin at different ones: what lies before a row's beginning is padding, masked out, and position
/// ids count from the beginning. All rows grow alike, so rows that begin alike stay so and need no mask.
/// </para>
/// <para>A row that has filled the network's context is read anew from the last half of it, and one that grows over a length where all of
/// its keys turn otherwise is read anew whole; on its own account: other rows do not notice.</para>
/// </remarks>
internal sealed class DecodingBatch : IDisposable
{
    private readonly ICausalDecoder _decoder;
    private readonly int _context;
    private readonly int _capacity;
    private readonly IDecodingCache _cache;
    private readonly float[] _logits; // [rows, vocabulary]
    private int[] _lengths;           // the positions that each row has in the cache, at its end
    private long[] _inputIds;         // scratch of a step, one a row
    private long[] _positionIds;      // likewise

    /// <summary>Reads prompts.</summary>
    /// <param name="decoder">A network that is ready.</param>
    /// <param name="prompts">The prompts, none empty.</param>
    /// <param name="copies">How many rows each prompt becomes; the rows of a prompt are neighbours.</param>
    /// <param name="maximumNewTokens">The most tokens that will follow.</param>
    public DecodingBatch(ICausalDecoder decoder, ReadOnlySpan<TokenSequence> prompts, int copies, int maximumNewTokens)
    {
        _decoder = decoder;
        _context = decoder.ContextLength;
        _lengths = new int[prompts.Length];
        for (var row = 0; row < prompts.Length; row++)
        {
            var length = prompts[row].Tokens.Length;
            _lengths[row] = length <= _context ? length : Math.Max(1, _context - Math.Min(maximumNewTokens, _context / 2));
        }

        // The last new token is not read. Padded rows grow on when the longest one has gone back to half of the context: room for both.
        var isPadded = _lengths.AsSpan().ContainsAnyExcept(_lengths[0]);
        _capacity = (int)Math.Min((long)_lengths.Max() + maximumNewTokens - 1, isPadded ? 2L * _context : _context);
        _inputIds = new long[_lengths.Length];
        _positionIds = new long[_lengths.Length];
        _logits = GC.AllocateUninitializedArray<float>(checked(_lengths.Length * copies * decoder.VocabularySize));
        _cache = decoder.CreateCache(_lengths.Length, _capacity);
        try
        {
            Read(prompts, _lengths, _cache, _logits.AsSpan(0, prompts.Length * decoder.VocabularySize));
            if (copies > 1)
                Repeat(copies);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The number of rows.</summary>
    public int Rows => _lengths.Length;

    /// <summary>The logits of a row's next token, [vocabulary]. They may be changed, and are valid until <see cref="Advance"/>.</summary>
    public Span<float> Logits(int row) => _logits.AsSpan(row * _decoder.VocabularySize, _decoder.VocabularySize);

    /// <summary>Keeps some rows, in a given order and perhaps several times. Logits stay as they are.</summary>
    public void SelectRows(ReadOnlySpan<int> rows)
    {
        if (rows.Length == Rows && IsIdentity(rows))
            return;
        var lengths = new int[rows.Length];
        for (var row = 0; row < rows.Length; row++)
            lengths[row] = _lengths[rows[row]];
        _lengths = lengths;
        Array.Resize(ref _inputIds, rows.Length);
        Array.Resize(ref _positionIds, rows.Length);
        RearrangeCache(rows);
    }

    /// <summary>Reads the last token of each row's sequence and computes the logits of the next one.</summary>
    /// <param name="sequences">For each row its sequence, of which all tokens but the last have been read.</param>
    public void Advance(ReadOnlySpan<TokenSequence> sequences)
    {
        var logits = _logits.AsSpan(0, Rows * _decoder.VocabularySize);
        int[] restarted = [.. Enumerable.Range(0, Rows).Where(row => IsReadAnew(_lengths[row]))];
        if (restarted.Length == Rows)
        {
            Array.ForEach(restarted, row => _lengths[row] = LengthAnew(_lengths[row]));
            _cache.Clear();
            Read(sequences, _lengths, _cache, logits);
            return;
        }

        if (_cache.Length == _capacity)
            RearrangeCache([.. Enumerable.Range(0, Rows)]);
        var lengths = Array.ConvertAll(restarted, row => LengthAnew(_lengths[row]));
        for (var row = 0; row < Rows; row++)
        {
            _inputIds[row] = sequences[row].Tokens[^1];
            _positionIds[row] = Math.Min(_lengths[row]++, _context - 1); // what rows to be read anew compute here is replaced below
        }

        _cache.Read(_inputIds, _positionIds, _lengths, logits);
        if (restarted.Length > 0)
            RestartRows(restarted, lengths, sequences);
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private bool IsReadAnew(int length) => length == _context || _decoder.SwitchLengths.Contains(length);

    /// <summary>How many of its last tokens a row is read anew with, the new one included.</summary>
    private int LengthAnew(int length) => length == _context ? Math.Max(1, _context / 2) : length + 1;

    private static bool IsIdentity(ReadOnlySpan<int> rows)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row] != row)
                return false;
        }

        return true;
    }

    /// <summary>Makes each row several ones.</summary>
    private void Repeat(int copies)
    {
        var rows = new int[Rows * copies];
        for (var row = rows.Length - 1; row >= 0; row--)
        {
            rows[row] = row / copies;
            Logits(rows[row]).CopyTo(Logits(row)); // from the end: no row is overwritten before it is copied
        }

        SelectRows(rows);
    }

    /// <summary>Reads rows anew, each with so many of its last tokens, and puts the result in their place.</summary>
    private void RestartRows(int[] rows, int[] lengths, ReadOnlySpan<TokenSequence> sequences)
    {
        var restarted = new TokenSequence[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            (restarted[i], _lengths[rows[i]]) = (sequences[rows[i]], lengths[i]);

        var vocabulary = _decoder.VocabularySize;
        var logits = new float[rows.Length * vocabulary];
        using var cache = _decoder.CreateCache(rows.Length, lengths.Max());
        Read(restarted, lengths, cache, logits);
        _cache.OverwriteEnd(rows, cache);
        for (var i = 0; i < rows.Length; i++)
            logits.AsSpan(i * vocabulary, vocabulary).CopyTo(Logits(rows[i]));
    }

    /// <summary>Selects rows of the cache and drops the first positions if all remaining rows are padded there.</summary>
    private void RearrangeCache(ReadOnlySpan<int> rows) => _cache.SelectRows(rows, _cache.Length - _lengths.Max());

    /// <summary>Fills an empty cache with the last tokens of sequences, and gives the logits after them.</summary>
    private static void Read(ReadOnlySpan<TokenSequence> sequences, int[] lengths, IDecodingCache cache, Span<float> logits)
    {
        var width = lengths.Max();
        var inputIds = new long[checked(sequences.Length * width)];
        var positionIds = new long[inputIds.Length];
        for (var row = 0; row < sequences.Length; row++)
        {
            var window = sequences[row].Tokens[^lengths[row]..];
            var start = (row + 1) * width - window.Length;
            for (var i = 0; i < window.Length; i++)
            {
                inputIds[start + i] = window[i];
                positionIds[start + i] = i;
            }
        }

        cache.Read(inputIds, positionIds, lengths, logits);
    }
}
