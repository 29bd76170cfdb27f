using System.Buffers;
using System.Numerics.Tensors;
using MLTransfer.Torch.Memory;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Numerics;

/// <summary>Cross-entropy of rows of logits, and its gradient in the memory of the logits.</summary>
internal static class CrossEntropy
{
    /// <summary>The sum over rows of ln(sum of exp(logits)) - logit of the target.</summary>
    /// <param name="logits">[rows, classes] float32 or bfloat16; overwritten on the CPU. Computed in float32.</param>
    /// <param name="targets">[rows] int64.</param>
    public static double Sum(Tensor logits, Tensor targets) =>
        IsPlain(logits)
            ? SumRows(logits, targets, gradientFactor: null)
            : nn.functional.cross_entropy(logits.to(ScalarType.Float32), targets, reduction: nn.Reduction.Sum).item<float>();

    /// <summary>The same sum; the logits become its gradient times a factor: (softmax - one-hot target) * factor.</summary>
    public static double SumWithGradient(Tensor logits, Tensor targets, double factor)
    {
        if (IsPlain(logits))
            return SumRows(logits, targets, (float)factor);

        using var scope = NewDisposeScope();
        var columns = targets.unsqueeze(1);
        var logProbabilities = nn.functional.log_softmax(logits.to(ScalarType.Float32), 1);
        var sum = -logProbabilities.gather(1, columns).sum().item<float>();
        var gradient = logProbabilities.exp_();
        gradient.scatter_add_(1, columns, full_like(columns, -1, dtype: ScalarType.Float32)).mul_(factor);
        logits.copy_(gradient);
        return sum;
    }

    private static unsafe double SumRows(Tensor logits, Tensor targets, float? gradientFactor)
    {
        var (rows, classes) = ((int)logits.shape[0], (int)logits.shape[1]);
        var values = (byte*)NativeTensor.Pointer(logits);
        var isBFloat16 = logits.dtype == ScalarType.BFloat16;
        var ids = (long*)NativeTensor.Pointer(targets);
        var losses = new double[rows];
        var options = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, rows, options, row => losses[row] = isBFloat16
            ? Row(new Span<ushort>((ushort*)values + (long)row * classes, classes), (int)ids[row], gradientFactor)
            : Row(new Span<float>((float*)values + (long)row * classes, classes), (int)ids[row], gradientFactor));
        return losses.Sum(); // always in this order, whatever thread made which part
    }

    private static double Row(Span<ushort> logits, int target, float? gradientFactor)
    {
        var memory = ArrayPool<float>.Shared.Rent(logits.Length);
        var wide = memory.AsSpan(0, logits.Length);
        BFloat16Bits.Widen(logits, wide);
        var loss = Row(wide, target, gradientFactor);
        if (gradientFactor is not null)
            BFloat16Bits.Narrow(wide, logits);
        ArrayPool<float>.Shared.Return(memory);
        return loss;
    }

    private static double Row(Span<float> logits, int target, float? gradientFactor)
    {
        // Passes over one row stay in the processor's cache.
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits);
        var targetLogit = logits[target];
        TensorPrimitives.Exp(logits, logits);
        var sum = TensorPrimitives.Sum<float>(logits);
        if (gradientFactor is { } factor)
        {
            TensorPrimitives.Multiply(logits, factor / sum, logits);
            logits[target] -= factor;
        }

        return Math.Log(sum) - targetLogit;
    }

    private static bool IsPlain(Tensor tensor) =>
        tensor.dtype is (ScalarType.Float32 or ScalarType.BFloat16) && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();
}
