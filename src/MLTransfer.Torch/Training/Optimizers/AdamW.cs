using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>AdamW with decoupled weight decay (arXiv 1711.05101), in one pass over the memory of each parameter.</summary>
/// <remarks>
/// libtorch runs about ten kernels a parameter and keeps their temporaries; on a CPU that costs more than the pass over memory itself.
/// The arithmetic and its order are those of PyTorch's AdamW. Parameters that are not float32 on the CPU take the same steps as tensor
/// operations. Where a parameter has a copy, the same pass over memory reads the copy's gradient and writes the copy, so that neither is
/// ever converted on its own.
/// </remarks>
internal sealed class AdamW : Optimizer<AdamW.Slot>
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;

    /// <param name="parameters">Named parameters, each with whether weight decay applies to it.</param>
    /// <param name="beta1">The decay rate of the gradient's running mean.</param>
    /// <param name="beta2">The decay rate of the squared gradient's running mean.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    public AdamW(IEnumerable<(string Name, Parameter Parameter, bool Decays)> parameters, double beta1, double beta2, double epsilon)
        : base(parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays))) =>
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step size.</param>
    /// <param name="weightDecay">From now on.</param>
    /// <param name="gradientFactor">What gradients are multiplied with first: gradient clipping.</param>
    public void Step(double learningRate, double weightDecay, double gradientFactor)
    {
        WeightDecay = weightDecay;
        Step(learningRate, gradientFactor);
    }

    protected override void Update(Slot slot, Tensor gradient, double rate, double gradientFactor)
    {
        var step = new StepFactors(
            (float)gradientFactor, (float)KeptBy(slot, rate), (float)_beta1, (float)(1 - _beta1), (float)_beta2, (float)(1 - _beta2),
            (float)(rate / (1 - Math.Pow(_beta1, StepCount))),
            (float)Math.Sqrt(1 - Math.Pow(_beta2, StepCount)), (float)_epsilon);
        if (FlatTensor.IsPlain(slot.Parameter) && FlatTensor.IsPlain(gradient, ScalarType.BFloat16)
            && (slot.Copy is null || slot.Copy.dtype == ScalarType.BFloat16))
            UpdateInPlace(slot, gradient, step);
        else
            UpdateByTensorOperations(slot, gradient, step);
    }

    /// <summary>The twin of the SIMD kernel, for other devices and types.</summary>
    internal static void UpdateByTensorOperations(Slot slot, Tensor gradient, StepFactors step)
    {
        using var scope = NewDisposeScope();
        var g = gradient.to(ScalarType.Float32) * step.Gradient;
        slot.Mean.mul_(step.Beta1).add_(g, alpha: step.OneMinusBeta1);
        slot.Square.mul_(step.Beta2).addcmul_(g, g, step.OneMinusBeta2);
        var denominator = slot.Square.sqrt().div_(step.SquareCorrection).add_(step.Epsilon);
        slot.Parameter.mul_(step.Decay).addcdiv_(slot.Mean.to(slot.Parameter.dtype), denominator.to(slot.Parameter.dtype), -step.Size);
        slot.Copy?.copy_(slot.Parameter);
    }

    internal static unsafe void UpdateInPlace(Slot slot, Tensor gradient, StepFactors step)
    {
        var length = slot.Parameter.numel();
        var weights = (float*)NativeTensor.Pointer(slot.Parameter);
        var means = (float*)NativeTensor.Pointer(slot.Mean);
        var squares = (float*)NativeTensor.Pointer(slot.Square);
        var slopes = new FlatTensor.Singles(gradient);
        var copy = slot.Copy is null ? null : (ushort*)NativeTensor.Pointer(slot.Copy);
        FlatTensor.ForEachChunk(length, (start, count) =>
        {
            using var wide = new RowBuffer(slopes.IsBFloat16 ? count : 0);
            fixed (float* memory = wide.Span)
                UpdateChunk(weights + start, means + start, squares + start, slopes.Read(start, count, memory), count, step);
            if (copy is not null)
                BFloat16Bits.Narrow(new ReadOnlySpan<float>(weights + start, count), new Span<ushort>(copy + start, count));
        });
    }

    private static unsafe void UpdateChunk(float* weights, float* means, float* squares, float* slopes, int count, StepFactors step)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Unsafe.ReadUnaligned<Vector<float>>(slopes + i) * step.Gradient;
            var mean = Unsafe.ReadUnaligned<Vector<float>>(means + i) * step.Beta1 + g * step.OneMinusBeta1;
            var square = Unsafe.ReadUnaligned<Vector<float>>(squares + i) * step.Beta2 + g * g * step.OneMinusBeta2;
            var denominator = Vector.SquareRoot(square) / new Vector<float>(step.SquareCorrection) + new Vector<float>(step.Epsilon);
            var weight = Unsafe.ReadUnaligned<Vector<float>>(weights + i) * step.Decay - mean / denominator * step.Size;
            Unsafe.WriteUnaligned(means + i, mean);
            Unsafe.WriteUnaligned(squares + i, square);
            Unsafe.WriteUnaligned(weights + i, weight);
        }

        for (; i < count; i++)
        {
            var g = slopes[i] * step.Gradient;
            means[i] = means[i] * step.Beta1 + g * step.OneMinusBeta1;
            squares[i] = squares[i] * step.Beta2 + g * g * step.OneMinusBeta2;
            var denominator = MathF.Sqrt(squares[i]) / step.SquareCorrection + step.Epsilon;
            weights[i] = weights[i] * step.Decay - means[i] / denominator * step.Size;
        }
    }

    /// <summary>The factors of one update.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct StepFactors(
        float Gradient, float Decay, float Beta1, float OneMinusBeta1, float Beta2, float OneMinusBeta2, float Size,
        float SquareCorrection, float Epsilon);

    /// <summary>A parameter with its running means.</summary>
    internal sealed class Slot : ParameterSlot
    {
        public Slot(string name, Parameter parameter, bool decays)
            : base(name, parameter, decays) => (Mean, Square) = (AddState("exp_avg"), AddState("exp_avg_sq"));

        public Tensor Mean { get; }

        public Tensor Square { get; }
    }
}
