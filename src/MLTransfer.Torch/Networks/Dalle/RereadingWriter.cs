using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Writes codes where row kernels cannot, as on a graphics processor: each step reads the text and all codes so far
/// anew.</summary>
internal sealed class RereadingWriter : ICodeWriter
{
    private readonly DalleModel _model;
    private readonly Tensor _text;    // [rows, L]
    private readonly int[][] _codes;
    private readonly float[] _logits; // [rows, codes]
    private int _code;

    /// <param name="model">Any model.</param>
    /// <param name="text">For each row the ids that the model reads.</param>
    public RereadingWriter(DalleModel model, IReadOnlyList<int[]> text)
    {
        (_model, _logits) = (model, new float[checked(text.Count * model.CodebookSize)]);
        _codes = [.. text.Select(_ => new int[model.Sizes.ImageLength])];
        using (var ids = tensor(text.SelectMany(row => row).Select(id => (long)id).ToArray(), [text.Count, model.TextLength]))
            _text = model.Input.Padded(ids.to(model.Device)).DetachFromDisposeScope();
        ReadAll();
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * _model.CodebookSize, _model.CodebookSize);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> codes)
    {
        using var hold = _model.Hold();
        _model.CheckStep(codes, _codes.Length, _code);
        for (var row = 0; row < codes.Length; row++)
            _codes[row][_code] = codes[row];
        _code++;
        ReadAll();
    }

    /// <inheritdoc/>
    public void Dispose() => _text.Dispose();

    private void ReadAll()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var codes = _code == 0 ? null : tensor(
            _codes.SelectMany(row => row.Take(_code)).Select(code => (long)code).ToArray(), [_codes.Length, _code], device: _model.Device);
        var last = _model.ComputeHidden(_text, codes, new SequencePass(Training: false)).narrow(1, _model.TextLength + _code, 1);
        var logits = _model.Head.CodeLogits(_model.Head.Features(last)).cpu().contiguous();     // [rows, 1, codes]
        NativeTensor.AsSpan<float>(logits).CopyTo(_logits);
    }
}
