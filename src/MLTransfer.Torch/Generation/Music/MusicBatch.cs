using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>
/// Rows of codes that the decoder reads together, one column of each at a time: captions, the key-value cache and the logits of the next
/// column. With guidance each row is there twice, with and without its caption, so that weights are read once for both.
/// </summary>
/// <remarks>Captions and prompts are read row by row, and a step's kernels compute rows apart: what a row gets is the same to the bit
/// alone and beside others.</remarks>
internal sealed class MusicBatch : IMusicBatch
{
    private readonly MusicGenModel _model;
    private readonly float _guidance; // 1 for none
    private readonly int _rows;
    private readonly List<Tensor> _captions = [];
    private readonly EncodedText _encoded;
    private readonly float[] _logits;     // [rows, codebooks, codes]
    private readonly long[] _inputs;      // [rows, or twice as many, codebooks]
    private KeyValueCache? _cache;

    /// <param name="model">A model that is ready.</param>
    /// <param name="captions">For each row what the text encoder reads; null for no caption.</param>
    /// <param name="guidance">The scale; 1 for none.</param>
    public MusicBatch(MusicGenModel model, IReadOnlyList<int[]?> captions, double guidance)
    {
        (_model, _rows) = (model, captions.Count);
        _guidance = Guidance.Of(guidance, captions);
        _logits = new float[checked(_rows * model.Codebooks * model.CodebookSize)];
        _inputs = new long[AllRows * model.Codebooks];
        using var gradients = no_grad();
        _captions.AddRange(captions.Select(Read));
        if (IsGuided)
            _captions.AddRange(captions.Select(_ => Read(null)));
        _encoded = EncodedText.OfRows([.. _captions.Select(caption => caption.alias())]);
    }

    private bool IsGuided => _guidance != 1;

    private int AllRows => IsGuided ? 2 * _rows : _rows;

    /// <inheritdoc/>
    public Span<float> Logits(int row, int codebook) =>
        _logits.AsSpan((row * _model.Codebooks + codebook) * _model.CodebookSize, _model.CodebookSize);

    /// <inheritdoc/>
    public void Begin(IReadOnlyList<int[][]> columns, int capacity)
    {
        _cache?.Dispose();
        _cache = _model.Decoder.CreateCache(AllRows, capacity);
        var length = columns[0][0].Length;
        if (length == 1)
        {
            Read([.. columns.SelectMany(row => row.Select(codebook => codebook[0]))]);
            return;
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var last = new Tensor[AllRows];
        _cache.Advance(length);
        for (var row = 0; row < _rows; row++)
            ReadColumns(row, columns[row], last);
        ReadLogits(stack(last));
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> ids)
    {
        for (var i = 0; i < _inputs.Length; i++)
            _inputs[i] = ids[i % ids.Length];
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        ReadLogits(_model.Decoder.ComputeHiddenStates(new ModelInput(tensor(_inputs, [AllRows, _model.Codebooks, 1], device: _model.Device))
        {
            PastKeyValues = _cache,
            Encoded = _encoded,
        }));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache?.Dispose();
        _encoded.Dispose();
        _captions.ForEach(caption => caption.Dispose());
    }

    /// <summary>[1, length, width of the decoder]: the caption, or a zero for none.</summary>
    private Tensor Read(int[]? caption)
    {
        using var scope = NewDisposeScope();
        if (caption is null)
            return zeros([1, 1, _model.Decoder.Description.Output.Width], _model.DataType, _model.Device).DetachFromDisposeScope();
        var ids = tensor(Array.ConvertAll(caption, id => (long)id), [1, caption.Length], device: _model.Device);
        return _model.Project(_model.TextEncoder.ComputeHiddenStates(new ModelInput(ids)), mask: null).DetachFromDisposeScope();
    }

    /// <summary>Reads columns of one row, with and without its caption, and puts their keys and values into the cache.</summary>
    private void ReadColumns(int row, int[][] columns, Tensor[] last)
    {
        int[] copies = IsGuided ? [row, _rows + row] : [row];
        var length = columns[0].Length;
        long[] ids = [.. columns.SelectMany(codebook => codebook).Select(id => (long)id)];
        var input = tensor(ids, [1, columns.Length, length], device: _model.Device).repeat(copies.Length, 1, 1);
        using var cache = _model.Decoder.CreateCache(copies.Length, length);
        using var captions = EncodedText.OfRows([.. copies.Select(copy => _captions[copy].alias())]);
        var hidden = _model.Decoder.ComputeHiddenStates(new ModelInput(input) { PastKeyValues = cache, Encoded = captions });
        _cache!.OverwriteEnd(copies, cache);
        foreach (var (i, copy) in copies.Index())
            last[copy] = hidden[i].narrow(0, length - 1, 1).to(ScalarType.Float32);              // [1, width]
    }

    /// <param name="hidden">[all rows, 1, width].</param>
    private void ReadLogits(Tensor hidden)
    {
        var codes = _model.CodebookSize;
        foreach (var (codebook, head) in _model.Decoder.Output.Heads.Index())
        {
            using var logits = head.Logits(hidden, _model.ComputeType);                          // [all rows, 1, codes]
            using var plain = logits.to(ScalarType.Float32).to(CPU).contiguous();
            var values = NativeTensor.AsSpan<float>(plain);
            for (var row = 0; row < _rows; row++)
            {
                var target = Logits(row, codebook);
                var conditioned = values.Slice(row * codes, codes);
                if (IsGuided)
                    Guidance.Combine(conditioned, values.Slice((_rows + row) * codes, codes), _guidance, target);
                else
                    conditioned.CopyTo(target);
            }
        }
    }
}
