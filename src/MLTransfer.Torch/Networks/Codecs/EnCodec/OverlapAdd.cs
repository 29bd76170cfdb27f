using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Joins chunks that overlap: each fades in and out in a straight line, and the sum is divided by that of the weights.</summary>
internal static class OverlapAdd
{
    /// <summary>Chunks [B, C, length] to [B, C, L].</summary>
    /// <param name="chunks">At least one.</param>
    /// <param name="stride">Samples from the start of a chunk to that of the next.</param>
    public static Tensor Join(IReadOnlyList<Tensor> chunks, int stride)
    {
        using var scope = NewDisposeScope();
        var first = chunks[0];
        var length = first.shape[2];
        var weights = 0.5 - (linspace(0, 1, length + 2, first.dtype, first.device).narrow(0, 1, length) - 0.5).abs();
        var total = chunks.Select((chunk, index) => (long)index * stride + chunk.shape[2]).Max();
        var sum = zeros(first.shape[0], first.shape[1], total, dtype: first.dtype, device: first.device);
        var weightSum = zeros(total, dtype: first.dtype, device: first.device);
        foreach (var (index, chunk) in chunks.Index())
        {
            using var inner = NewDisposeScope();
            var weight = weights.narrow(0, 0, chunk.shape[2]);
            sum.narrow(2, (long)index * stride, chunk.shape[2]).add_(weight * chunk);
            weightSum.narrow(0, (long)index * stride, chunk.shape[2]).add_(weight);
        }

        return (sum / weightSum).MoveToOuterDisposeScope();
    }
}
