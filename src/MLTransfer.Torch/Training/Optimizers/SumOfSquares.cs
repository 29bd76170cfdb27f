using System.Numerics;
using System.Runtime.CompilerServices;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>The sum of the squares of a tensor's elements.</summary>
internal static class SumOfSquares
{
    /// <summary>In float64 over short runs in float32; the same bits whatever thread makes which part.</summary>
    public static unsafe double Of(Tensor tensor)
    {
        if (!FlatTensor.IsPlain(tensor, ScalarType.BFloat16))
        {
            using var scope = NewDisposeScope();
            return tensor.to(ScalarType.Float32).square().sum(ScalarType.Float64).item<double>();
        }

        var length = tensor.numel();
        var values = new FlatTensor.Singles(tensor);
        var sums = new double[(length + FlatTensor.ChunkLength - 1) / FlatTensor.ChunkLength];
        FlatTensor.ForEachChunk(length, (start, count) =>
        {
            using var wide = new RowBuffer(values.IsBFloat16 ? count : 0);
            fixed (float* memory = wide.Span)
                sums[start / FlatTensor.ChunkLength] = OfChunk(values.Read(start, count, memory), count);
        });
        return sums.Sum(); // always in this order, whatever thread made which part
    }

    private static unsafe double OfChunk(float* values, int count)
    {
        var (sum, i) = (0.0, 0);
        while (i <= count - Vector<float>.Count)
        {
            // Short runs in float32, added up in float64: exact enough at full speed.
            var run = Vector<float>.Zero;
            for (var end = Math.Min(count - Vector<float>.Count, i + 64 * Vector<float>.Count); i <= end; i += Vector<float>.Count)
            {
                var value = Unsafe.ReadUnaligned<Vector<float>>(values + i);
                run += value * value;
            }

            sum += Vector.Sum(run);
        }

        for (; i < count; i++)
            sum += (double)values[i] * values[i];
        return sum;
    }
}
