using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// Writes codes with row kernels: a step computes the new position alone and reads weights once for as many rows as kernels take. A text
/// is read alone, and once for all rows that have it, so that rows get the same bits alone and beside others.
/// </summary>
internal sealed class DalleWriter : ICodeWriter
{
    private readonly DalleModel _model;
    private readonly DalleConfiguration _sizes;
    private readonly List<Group> _groups = [];
    private readonly KeyValueCache _none = new([], 0, 0, ScalarType.Float32, CPU);
    private readonly float[] _logits; // [rows, codes]
    private int _code;

    /// <param name="model">A model that the kernels take.</param>
    /// <param name="text">For each row the ids that the model reads.</param>
    public DalleWriter(DalleModel model, IReadOnlyList<int[]> text)
    {
        (_model, _sizes, _logits) = (model, model.Sizes, new float[checked(text.Count * model.Sizes.CodebookSize)]);
        try
        {
            for (var first = 0; first < text.Count; first += RowProduct.MaximumRows)
            {
                var rows = Math.Min(RowProduct.MaximumRows, text.Count - first);
                _groups.Add(new(first, rows, new CodeCache(_sizes, model.Stack.Shift, rows, model.ComputeType ?? model.DataType)));
            }

            foreach (var same in text.Index().GroupBy(row => string.Join(' ', row.Item), row => row.Index))
                ReadText(text[same.First()], [.. same]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * _sizes.CodebookSize, _sizes.CodebookSize);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> codes)
    {
        using var hold = _model.Hold();
        _model.CheckStep(codes, _logits.Length / _sizes.CodebookSize, _code);
        using var gradients = no_grad();
        foreach (var (first, rows, cache) in _groups)
        {
            var step = new CodeStep(StepOf(rows), _code, cache);
            using var hidden = new RowBuffer(rows * _sizes.Width);
            _model.Input.Step(codes.Slice(first, rows), _code, hidden.Span);
            _model.Stack.Step(hidden.Span, step);
            _model.Head.Step(hidden.Span, LogitsOf(first, rows), step.Rows);
        }

        _code++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _groups.ForEach(group => group.Cache.Dispose());
        _none.Dispose();
    }

    /// <summary>Reads the text of some rows.</summary>
    private void ReadText(int[] text, int[] rows)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var ids = tensor(Array.ConvertAll(text, id => (long)id), [1, text.Length]);
        var hidden = _model.ComputeHidden(_model.Input.Padded(ids), null, new SequencePass(Training: false, (layer, keys, values) =>
        {
            foreach (var row in rows)
            {
                var (group, place) = Math.DivRem(row, RowProduct.MaximumRows);
                _groups[group].Cache.Layers[layer].StoreText(place, keys, values);
            }
        }));
        using var last = new RowBuffer(_sizes.Width);
        using var state = hidden[0][_sizes.TextLength].to(ScalarType.Float32).contiguous();
        NativeTensor.AsSpan<float>(state).CopyTo(last.Span);
        _model.Head.Step(last.Span, LogitsOf(rows[0], 1), StepOf(1));
        foreach (var row in rows.AsSpan(1))
            LogitsOf(rows[0], 1).CopyTo(LogitsOf(row, 1));
    }

    private Span<float> LogitsOf(int first, int rows) => _logits.AsSpan(first * _sizes.CodebookSize, rows * _sizes.CodebookSize);

    private DecodingStep StepOf(int rows) => new(_none, new int[rows], get_num_threads());

    private readonly record struct Group(int First, int Rows, CodeCache Cache);
}
