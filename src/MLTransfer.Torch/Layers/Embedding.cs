using MLTransfer.Torch.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A table of vectors that is read by index.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    public Embedding(WeightScope weights, int count, int width, Initialization initialization)
        : base(nameof(Embedding))
    {
        Weight = weights.Take("weight", initialization, count, width);
        register_parameter("weight", Weight);
    }

    /// <summary>[count, width].</summary>
    public Parameter Weight { get; }

    /// <summary>Int64 indices of any shape to [..., width].</summary>
    public override Tensor forward(Tensor indices)
    {
        using var scope = NewDisposeScope();
        return Weight.index_select(0, indices.reshape(-1)).view([.. indices.shape, Weight.shape[1]]).MoveToOuterDisposeScope();
    }

    /// <summary>Copies the vectors of int64 indices of any shape to [indices, width].</summary>
    public void Read(Tensor indices, Span<float> target)
    {
        using var values = indices.contiguous();
        var row = 0;
        foreach (var index in NativeTensor.AsSpan<long>(values))
            FloatRows.Read(Weight, Start(index), Row(target, row++));
    }

    /// <summary>Adds the vector of each row's index to [rows, width].</summary>
    /// <param name="indices">[rows or 1, 1] int64; null for <paramref name="index"/> in all rows.</param>
    /// <param name="index">The index where <paramref name="indices"/> does not say.</param>
    /// <param name="target">[rows, width].</param>
    public void Add(Tensor? indices, long index, Span<float> target)
    {
        using var values = indices?.contiguous();
        var all = values is null ? [index] : NativeTensor.AsSpan<long>(values);
        var rows = target.Length / (int)Weight.size(1);
        for (var row = 0; row < rows; row++)
            FloatRows.Add(Weight, Start(all.Length == 1 ? all[0] : all[row]), Row(target, row));
    }

    private long Start(long index)
    {
        if ((ulong)index >= (ulong)Weight.size(0))
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The table has {Weight.size(0)} vectors.");
        return index * Weight.size(1);
    }

    private Span<float> Row(Span<float> rows, int row) => rows.Slice(row * (int)Weight.size(1), (int)Weight.size(1));

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
