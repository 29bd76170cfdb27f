using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.DalleMini;

/// <summary>Writes codes, one position of all rows at a time, with a key-value cache.</summary>
/// <remarks>A caption is read alone, equal ones once, and a step's kernels compute rows apart: what a row gets is the same to the bit alone
/// and beside others.</remarks>
internal sealed class DalleMiniWriter : ICodeWriter
{
    private readonly DalleMiniModel _model;
    private readonly int _rows;
    private readonly EncodedText _captions;
    private readonly KeyValueCache _cache;
    private readonly float[] _logits; // [rows, codes that may be drawn]

    /// <param name="model">A model that is ready.</param>
    /// <param name="captions">For each row what the encoder reads, without padding.</param>
    /// <exception cref="InvalidOperationException">The model is in training mode.</exception>
    public DalleMiniWriter(DalleMiniModel model, IReadOnlyList<int[]> captions)
    {
        if (model.training)
        {
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        }

        (_model, _rows) = (model, captions.Count);
        _logits = new float[checked(_rows * model.CodebookSize)];
        using var gradients = no_grad();
        _captions = Read(captions);
        _cache = model.Transformer.CreateCache(_rows, model.Transformer.ContextLength);
        Read(Enumerable.Repeat((long)model.StartId, _rows).ToArray());
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * _model.CodebookSize, _model.CodebookSize);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> codes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(codes.Length, _rows);
        var inputs = new long[_rows];
        for (var row = 0; row < _rows; row++)
            inputs[row] = codes[row];
        Read(inputs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _captions.Dispose();
    }

    private EncodedText Read(IReadOnlyList<int[]> captions)
    {
        using var scope = NewDisposeScope();
        var read = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        return EncodedText.OfRows([.. captions.Select(caption =>
        {
            var key = string.Join(' ', caption);
            if (!read.TryGetValue(key, out var hidden))
            {
                var ids = tensor(Array.ConvertAll(caption, id => (long)id), [1, caption.Length], device: _model.Device);
                using var encoded = _model.Transformer.Encode(new ModelInput(ids));
                read.Add(key, hidden = encoded.HiddenStates.alias());
            }

            return hidden.alias();                                                                  // [1, length, width]
        })]);
    }

    private void Read(long[] inputs)
    {
        using var hold = _model.Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var logits = _model.Transformer.Forward(new ModelInput(tensor(inputs, [_rows, 1], device: _model.Device))
        {
            PastKeyValues = _cache,
            Encoded = _captions,
        });                                                                                         // [rows, 1, codes and special ones]
        var drawn = logits.narrow(2, 0, _model.CodebookSize).to(ScalarType.Float32).to(CPU).contiguous();
        NativeTensor.AsSpan<float>(drawn).CopyTo(_logits);
    }
}
