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
            ? LossesOfRows(logits, targets, gradientFactor: null, default).Sum()
            : nn.functional.cross_entropy(logits.to(ScalarType.Float32), targets, reduction: nn.Reduction.Sum).item<float>();

    /// <summary>Of each row ln(sum of exp(logits)) - logit of the target.</summary>
    /// <inheritdoc cref="Sum" path="/param"/>
    public static double[] OfRows(Tensor logits, Tensor targets)
    {
        if (IsPlain(logits))
            return LossesOfRows(logits, targets, gradientFactor: null, default);
        using var scope = NewDisposeScope();
        var losses = nn.functional.cross_entropy(logits.to(ScalarType.Float32), targets, reduction: nn.Reduction.None);
        return [.. NativeTensor.AsSpan<float>(losses.cpu()).ToArray().Select(loss => (double)loss)];
    }

    /// <summary>
    /// The same sum, with further terms where there are some; the logits become its gradient times a factor, without terms (softmax -
    /// one-hot target) * factor.
    /// </summary>
    public static double SumWithGradient(Tensor logits, Tensor targets, double factor, CrossEntropyTerms terms = default)
    {
        if (IsPlain(logits))
            return LossesOfRows(logits, targets, (float)factor, terms).Sum(); // in this order, whatever thread made which part

        using var scope = NewDisposeScope();
        var columns = targets.unsqueeze(1);
        var wide = logits.to(ScalarType.Float32);
        var logProbabilities = nn.functional.log_softmax(wide, 1);
        var sum = -(1 - terms.Smoothing) * logProbabilities.gather(1, columns).sum().item<float>();
        if (terms.Smoothing > 0)
            sum -= terms.Smoothing * logProbabilities.mean([1]).sum().item<float>();
        var normalizers = terms.ZLoss > 0 ? wide.logsumexp(1, keepdim: true) : null; // [rows, 1]
        if (normalizers is not null)
            sum += terms.ZLoss * normalizers.square().sum().item<float>();
        var gradient = logProbabilities.exp_();
        if (normalizers is not null)
            gradient.mul_(normalizers.mul_(2 * terms.ZLoss).add_(1));
        if (terms.Smoothing > 0)
            gradient.sub_(terms.Smoothing / logits.shape[1]);
        gradient.scatter_add_(1, columns, full_like(columns, terms.Smoothing - 1, dtype: ScalarType.Float32)).mul_(factor);
        logits.copy_(gradient);
        return sum;
    }

    private static unsafe double[] LossesOfRows(Tensor logits, Tensor targets, float? gradientFactor, CrossEntropyTerms terms)
    {
        var (rows, classes) = ((int)logits.shape[0], (int)logits.shape[1]);
        var values = (byte*)NativeTensor.Pointer(logits);
        var isBFloat16 = logits.dtype == ScalarType.BFloat16;
        var ids = (long*)NativeTensor.Pointer(targets);
        var losses = new double[rows];
        var options = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, rows, options, row => losses[row] = isBFloat16
            ? Row(new Span<ushort>((ushort*)values + (long)row * classes, classes), (int)ids[row], gradientFactor, terms)
            : Row(new Span<float>((float*)values + (long)row * classes, classes), (int)ids[row], gradientFactor, terms));
        return losses;
    }

    private static double Row(Span<ushort> logits, int target, float? gradientFactor, CrossEntropyTerms terms)
    {
        var memory = ArrayPool<float>.Shared.Rent(logits.Length);
        var wide = memory.AsSpan(0, logits.Length);
        BFloat16Bits.Widen(logits, wide);
        var loss = Row(wide, target, gradientFactor, terms);
        if (gradientFactor is not null)
            BFloat16Bits.Narrow(wide, logits);
        ArrayPool<float>.Shared.Return(memory);
        return loss;
    }

    private static double Row(Span<float> logits, int target, float? gradientFactor, CrossEntropyTerms terms)
    {
        // Passes over one row stay in the processor's cache.
        var largest = TensorPrimitives.Max<float>(logits);
        TensorPrimitives.Subtract(logits, largest, logits);
        var (targetLogit, smoothing) = (logits[target], terms.Smoothing);
        var meanLogit = smoothing > 0 ? (double)TensorPrimitives.Sum<float>(logits) / logits.Length : 0;
        TensorPrimitives.Exp(logits, logits);
        var sum = TensorPrimitives.Sum<float>(logits);
        var normalizer = Math.Log(sum) + largest; // ln(sum of exp(logits))
        if (gradientFactor is { } factor)
        {
            TensorPrimitives.Multiply(logits, factor * (float)(1 + 2 * terms.ZLoss * normalizer) / sum, logits);
            if (smoothing > 0)
                TensorPrimitives.Add(logits, -factor * (float)(smoothing / logits.Length), logits);
            logits[target] -= factor * (float)(1 - smoothing);
        }

        return Math.Log(sum) - (1 - smoothing) * targetLogit - smoothing * meanLogit + terms.ZLoss * normalizer * normalizer;
    }

    private static bool IsPlain(Tensor tensor) =>
        tensor.dtype is (ScalarType.Float32 or ScalarType.BFloat16) && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();
}
