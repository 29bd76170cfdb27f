using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A table of vectors that is read by index.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    private readonly ScalarType _streamType;

    public Embedding(WeightScope weights, int count, int width, Initialization initialization)
        : base(nameof(Embedding))
    {
        (Width, _streamType) = (width, weights.DataType);
        Weight = weights.TakeMatrix("weight", initialization, count, width);
        register_parameter("weight", Weight);
    }

    /// <summary>[count, width]; disposed once it is quantized.</summary>
    public Parameter Weight { get; private set; }

    /// <summary>Integers in place of the weight; null where it is not quantized.</summary>
    public QuantizedMatrix? Quantized { get; private set; }

    /// <summary>Vectors that are trained while the others are frozen; null for none.</summary>
    public TokenRows? TrainedRows { get; set; }

    /// <summary>Where the vectors are.</summary>
    public Device Device => Quantized is null ? Weight.device : CPU;

    /// <summary>The length of a vector.</summary>
    public int Width { get; }

    /// <summary>Int64 indices of any shape to [..., width].</summary>
    public override Tensor forward(Tensor indices)
    {
        using var scope = NewDisposeScope();
        if (Quantized is not null)
        {
            var read = empty([.. indices.shape, Width], ScalarType.Float32);
            Read(indices, NativeTensor.AsSpan<float>(read));
            return read.MoveToOuterDisposeScope();
        }

        // on a graphics processor the gradient of index_select is added up in whatever order threads come, that of an index is not
        var rows = Weight.device_type == TorchSharp.DeviceType.CPU
            ? Weight.index_select(0, indices.reshape(-1)) : Weight[TensorIndex.Tensor(indices.reshape(-1))];
        var vectors = rows.to(_streamType).view([.. indices.shape, Weight.shape[1]]);
        if (TrainedRows is not null && is_grad_enabled())
            vectors = TrainedRows.Join(indices, vectors);
        return vectors.MoveToOuterDisposeScope();
    }

    /// <summary>Makes a table that is kept in a narrower type one of the network's type, so that it can be trained.</summary>
    public void WidenWeight()
    {
        if (Weight.dtype == _streamType)
            return;
        using var gradients = no_grad();
        using var narrow = Weight;
        Weight = new Parameter(narrow.to(_streamType).DetachFromDisposeScope(), narrow.requires_grad);
        ConditionallyRegisterParameter("weight", Weight);
    }

    /// <summary>Copies the vectors of int64 indices of any shape to [indices, width].</summary>
    public void Read(Tensor indices, Span<float> target)
    {
        using var values = indices.contiguous();
        var row = 0;
        foreach (var index in NativeTensor.AsSpan<long>(values))
            Read(index, Row(target, row++));
    }

    /// <summary>Copies one vector.</summary>
    public void Read(long index, Span<float> target)
    {
        if (Quantized is null)
            FloatRows.Read(Weight, Start(index), target);
        else
            Quantized.ReadOutput(index, target);
    }

    /// <summary>One vector: [width].</summary>
    public Tensor Row(int index)
    {
        using var scope = NewDisposeScope();
        return call(tensor(index, ScalarType.Int64, Device)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the vector of each row's index to [rows, width].</summary>
    /// <param name="indices">[rows].</param>
    /// <param name="target">[rows, width].</param>
    public void Add(ReadOnlySpan<long> indices, Span<float> target)
    {
        using var vector = new RowBuffer(Width);
        for (var row = 0; row < indices.Length; row++)
        {
            Read(indices[row], vector.Span);
            var sum = Row(target, row);
            for (var i = 0; i < sum.Length; i++)
                sum[i] += vector.Span[i];
        }
    }

    /// <summary>Replaces the float32 weight, which is disposed, by integers.</summary>
    public QuantizedMatrix QuantizeWeight(Quantization quantization)
    {
        using var wide = Weight.to(ScalarType.Float32);
        Quantized = quantization(wide, isOutputByInput: true);
        Weight.Dispose();
        return Quantized;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Quantized?.Dispose();
            TrainedRows?.Dispose();
        }

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
