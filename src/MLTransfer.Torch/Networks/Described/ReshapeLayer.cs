using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Reshape"/>
/// <param name="Shape">The new extents without the batch.</param>
public sealed record ReshapeLayer(IReadOnlyList<long> Shape) : Layer
{
    internal override void Check()
    {
        if (Shape is not { Count: > 0 and <= 8 })
            throw new ArgumentException($"{nameof(Shape)} must have from 1 to 8 extents.", nameof(Shape));
        foreach (var extent in Shape)
            CheckSize(nameof(Shape), extent);
    }

    internal override long[] OutputShape(LayerPlace place)
    {
        var count = place.Shape.Aggregate(1L, (product, extent) => product * extent);
        return TensorShape.TryGetByteCount([.. Shape], 1, out var wanted) && wanted == count
            ? [.. Shape]
            : throw place.Mismatch($"as many elements as {TensorShape.Describe(Shape)} has", $"It is given {count}.");
    }

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        input.reshape([input.shape[0], .. Shape]);
}
