using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Models;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation;

/// <summary>Sequences that a model reads together, one token of each at a time: the key-value cache and the logits of the next tokens.</summary>
/// <remarks>
/// <para>
/// Rows end at the same cache position and begin at different ones: what lies before a row's beginning is padding, masked out, and position ids
/// count from the beginning. All rows grow alike, so rows that begin alike stay so and need no mask.
/// </para>
/// <para>A row that has filled the model's context is read anew from the last half of it, on its own account: other rows do not notice.</para>
/// </remarks>
internal sealed class DecodingBatch : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly Device _device;
    private readonly int _context;
    private readonly KeyValueCache _cache;
    private int[] _lengths;      // the positions that each row has in the cache, at its end
    private long[] _inputIds;    // scratch of a step, one a row
    private long[] _positionIds; // likewise
    private Tensor? _mask;       // [rows, capacity] bool, false for padding; null where no row is padded
    private Tensor? _logits;     // [rows, vocabulary] float32 on the CPU

    /// <summary>Reads prompts.</summary>
    /// <param name="model">A model in evaluation mode.</param>
    /// <param name="prompts">The prompts, none empty.</param>
    /// <param name="copies">How many rows each prompt becomes; the rows of a prompt are neighbours.</param>
    /// <param name="maximumNewTokens">The most tokens that will follow.</param>
    public DecodingBatch(CausalLanguageModel model, ReadOnlySpan<TokenSequence> prompts, int copies, int maximumNewTokens)
    {
        _model = model;
        _device = model.Device;
        _context = model.ContextLength;
        _lengths = new int[prompts.Length];
        for (var row = 0; row < prompts.Length; row++)
        {
            var length = prompts[row].Tokens.Length;
            _lengths[row] = length <= _context ? length : Math.Max(1, _context - Math.Min(maximumNewTokens, _context / 2));
        }

        // The last new token is not read. Padded rows grow on when the longest one has gone back to half of the context: room for both.
        var isPadded = _lengths.AsSpan().ContainsAnyExcept(_lengths[0]);
        var capacity = Math.Min((long)_lengths.Max() + maximumNewTokens - 1, isPadded ? 2L * _context : _context);
        _inputIds = new long[_lengths.Length];
        _positionIds = new long[_lengths.Length];
        _cache = model.CreateCache(_lengths.Length, (int)capacity);
        try
        {
            SetLogits(Read(prompts, _lengths, _cache));
            UpdateMask();
            if (copies == 1)
                return;
            var rows = new int[_lengths.Length * copies];
            for (var row = 0; row < rows.Length; row++)
                rows[row] = row / copies;
            SelectRows(rows);
            using var scope = NewDisposeScope();
            SetLogits(_logits!.index_select(0, tensor(rows)).DetachFromDisposeScope());
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
    public Span<float> Logits(int row)
    {
        var all = NativeTensor.AsSpan<float>(_logits!);
        var vocabulary = all.Length / (int)_logits!.shape[0];
        return all.Slice(row * vocabulary, vocabulary);
    }

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
        var full = _lengths.AsSpan().Count(_context);
        if (full == Rows)
        {
            Array.Fill(_lengths, RestartLength);
            _cache.Clear();
            SetLogits(Read(sequences, _lengths, _cache));
            UpdateMask();
            return;
        }

        if (_cache.Length == _cache.Capacity)
            RearrangeCache([.. Enumerable.Range(0, Rows)]);
        var fullRows = full == 0 ? [] : new int[full];
        for (var row = 0; row < Rows; row++)
        {
            if (_lengths[row] == _context)
                fullRows[^full--] = row;
            _inputIds[row] = sequences[row].Tokens[^1];
            _positionIds[row] = Math.Min(_lengths[row]++, _context - 1); // what full rows compute here is replaced below
        }

        using (NewDisposeScope())
        {
            SetLogits(Forward(
                ToTensor(_inputIds, 1),
                _mask?.narrow(1, 0, _cache.Length + 1),
                _mask is null ? null : ToTensor(_positionIds, 1),
                _cache));
        }

        if (fullRows.Length > 0)
            RestartRows(fullRows, sequences);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _mask?.Dispose();
        _logits?.Dispose();
    }

    private int RestartLength => Math.Max(1, _context / 2);

    private static bool IsIdentity(ReadOnlySpan<int> rows)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row] != row)
                return false;
        }

        return true;
    }

    /// <summary>Reads rows that have filled the context from the last half of it and puts the result in their place.</summary>
    private void RestartRows(int[] rows, ReadOnlySpan<TokenSequence> sequences)
    {
        var restarted = new TokenSequence[rows.Length];
        var lengths = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            restarted[i] = sequences[rows[i]];
            lengths[i] = _lengths[rows[i]] = RestartLength;
        }

        using var cache = _model.CreateCache(rows.Length, RestartLength);
        using var logits = Read(restarted, lengths, cache);
        _cache.OverwriteEnd(rows, cache);
        var source = NativeTensor.AsSpan<float>(logits);
        for (var i = 0; i < rows.Length; i++)
        {
            var target = Logits(rows[i]);
            source.Slice(i * target.Length, target.Length).CopyTo(target);
        }

        UpdateMask();
    }

    /// <summary>Selects rows of the cache and drops the first positions if all remaining rows are padded there.</summary>
    private void RearrangeCache(ReadOnlySpan<int> rows)
    {
        using var scope = NewDisposeScope();
        var indices = new long[rows.Length];
        for (var row = 0; row < rows.Length; row++)
            indices[row] = rows[row];
        _cache.SelectRows(tensor(indices, device: _device), _cache.Length - _lengths.Max());
        UpdateMask();
    }

    /// <summary>Fills a cache with the last tokens of sequences, and gives the logits after them.</summary>
    private Tensor Read(ReadOnlySpan<TokenSequence> sequences, int[] lengths, KeyValueCache cache)
    {
        using var scope = NewDisposeScope();
        var width = lengths.Max();
        var inputIds = new long[checked(sequences.Length * width)];
        var positionIds = new long[inputIds.Length];
        var isPadded = false;
        for (var row = 0; row < sequences.Length; row++)
        {
            var window = sequences[row].Tokens[^lengths[row]..];
            var start = (row + 1) * width - window.Length;
            for (var i = 0; i < window.Length; i++)
            {
                inputIds[start + i] = window[i];
                positionIds[start + i] = i;
            }

            isPadded |= window.Length < width;
        }

        return Forward(
            ToTensor(inputIds, width),
            isPadded ? PaddingMask(lengths, width, width) : null,
            isPadded ? ToTensor(positionIds, width) : null,
            cache);
    }

    /// <returns>[rows, vocabulary] logits after the last position, float32 on the CPU, in no dispose scope.</returns>
    private Tensor Forward(Tensor inputIds, Tensor? mask, Tensor? positionIds, KeyValueCache cache)
    {
        using var scope = NewDisposeScope();
        var hiddenStates = _model.ComputeHiddenStates(new ModelInput(inputIds) // [rows, length, width]
        {
            AttentionMask = mask,
            PositionIds = positionIds,
            PastKeyValues = cache,
        });
        var last = hiddenStates.narrow(1, hiddenStates.shape[1] - 1, 1);
        return _model.ComputeLogits(last).squeeze(1).to(ScalarType.Float32).to(CPU).contiguous().DetachFromDisposeScope();
    }

    private void SetLogits(Tensor logits)
    {
        _logits?.Dispose();
        _logits = logits;
    }

    private void UpdateMask()
    {
        _mask?.Dispose();
        _mask = _lengths.AsSpan().ContainsAnyExcept(_cache.Length)
            ? PaddingMask(_lengths, _cache.Length, _cache.Capacity).DetachFromDisposeScope()
            : null;
    }

    /// <summary>[rows, width] bool: false where a row that ends at a position has not begun yet.</summary>
    private Tensor PaddingMask(int[] lengths, int end, int width)
    {
        var mask = new bool[checked(lengths.Length * width)];
        for (var row = 0; row < lengths.Length; row++)
            mask.AsSpan(row * width + end - lengths[row], width - end + lengths[row]).Fill(true);
        return tensor(mask, device: _device).view(lengths.Length, width);
    }

    private Tensor ToTensor(long[] values, int width) => tensor(values, device: _device).view(values.Length / width, width);
}
