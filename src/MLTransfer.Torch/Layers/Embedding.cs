using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A table of vectors that is read by index.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    private Int8Matrix? _quantized; // in place of the weight

    public Embedding(WeightScope weights, int count, int width, Initialization initialization)
        : base(nameof(Embedding))
    {
        Width = width;
        Weight = weights.Take("weight", initialization, count, width);
        register_parameter("weight", Weight);
    }

    /// <summary>[count, width]; disposed once it is quantized.</summary>
    public Parameter Weight { get; }

    /// <summary>The length of a vector.</summary>
    public int Width { get; }

    /// <summary>Int64 indices of any shape to [..., width].</summary>
    public override Tensor forward(Tensor indices)
    {
        using var scope = NewDisposeScope();
        if (_quantized is not null)
        {
            var vectors = empty([.. indices.shape, Width], ScalarType.Float32);
            Read(indices, NativeTensor.AsSpan<float>(vectors));
            return vectors.MoveToOuterDisposeScope();
        }

        return Weight.index_select(0, indices.reshape(-1)).view([.. indices.shape, Weight.shape[1]]).MoveToOuterDisposeScope();
    }

    /// <summary>Copies the vectors of int64 indices of any shape to [indices, width].</summary>
    public void Read(Tensor indices, Span<float> target)
    {
        using var values = indices.contiguous();
        var row = 0;
        foreach (var index in NativeTensor.AsSpan<long>(values))
        {
            if (_quantized is null)
                FloatRows.Read(Weight, Start(index), Row(target, row++));
            else
                _quantized.ReadOutput(index, Row(target, row++));
        }
    }

    /// <summary>Adds the vector of each row's index to [rows, width].</summary>
    /// <param name="indices">[rows or 1, 1] int64; null for <paramref name="index"/> in all rows.</param>
    /// <param name="index">The index where <paramref name="indices"/> does not say.</param>
    /// <param name="target">[rows, width].</param>
    public void Add(Tensor? indices, long index, Span<float> target)
    {
        using var values = indices?.contiguous();
        var all = values is null ? [index] : NativeTensor.AsSpan<long>(values);
        var rows = target.Length / Width;
        for (var row = 0; row < rows; row++)
            FloatRows.Add(Weight, Start(all.Length == 1 ? all[0] : all[row]), Row(target, row));
    }

    /// <summary>Replaces the float32 weight, which is disposed, by int8 numbers.</summary>
    public Int8Matrix QuantizeWeight()
    {
        _quantized = Int8Matrix.Quantize(Weight, isOutputByInput: true);
        Weight.Dispose();
        return _quantized;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _quantized?.Dispose();
        base.Dispose(disposing);
    }

    private long Start(long index)
    {
        if ((ulong)index >= (ulong)Weight.size(0))
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The table has {Weight.size(0)} vectors.");
        return index * Width;
    }

    private Span<float> Row(Span<float> rows, int row) => rows.Slice(row * Width, Width);

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
