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
/// operations. A parameter may have a copy in the type that products are computed in: the same pass over memory reads the copy's gradient
/// and writes the copy, so that neither is ever converted on its own.
/// </remarks>
internal sealed class AdamW : Optimizer
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly List<Slot> _slots;

    /// <param name="parameters">Named parameters, each with whether weight decay applies to it.</param>
    /// <param name="beta1">The decay rate of the gradient's running mean.</param>
    /// <param name="beta2">The decay rate of the squared gradient's running mean.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    public AdamW(IEnumerable<(string Name, Parameter Parameter, bool Decays)> parameters, double beta1, double beta2, double epsilon)
    {
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
        _slots = [.. parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays))];
    }

    /// <summary>The share of a decaying parameter that an update removes, times the learning rate.</summary>
    public double WeightDecay { get; init; }

    /// <summary>What the learning rate of a parameter is multiplied with, by its name; null for nothing.</summary>
    public Func<string, double>? RateFactor { get; init; }

    /// <summary>The running means under the names <c>parameter.exp_avg</c> and <c>parameter.exp_avg_sq</c>.</summary>
    public override IEnumerable<KeyValuePair<string, Tensor>> State =>
        _slots.SelectMany(slot => (KeyValuePair<string, Tensor>[])[
            new($"{slot.Name}.exp_avg", slot.Mean), new($"{slot.Name}.exp_avg_sq", slot.Square)]);

    /// <summary>
    /// A copy of a parameter in another type, which every update of the parameter renews. A gradient that a backward pass leaves at the
    /// copy counts as the parameter's, which then has none of its own.
    /// </summary>
    /// <param name="parameter">One of this optimizer's.</param>
    /// <param name="type">The copy's type.</param>
    /// <returns>A leaf of the graph; this optimizer owns it.</returns>
    public Tensor CopyOf(Parameter parameter, ScalarType type)
    {
        using var gradients = no_grad();
        var slot = _slots.Find(slot => ReferenceEquals(slot.Parameter, parameter))
            ?? throw new ArgumentException("The parameter is not one of the optimizer's.", nameof(parameter));
        return slot.Copy ??= parameter.to(type, copy: true).requires_grad_(true).DetachFromDisposeScope();
    }

    /// <summary>Renews the copies after parameters were changed by others.</summary>
    public void RenewCopies()
    {
        using var gradients = no_grad();
        foreach (var slot in _slots)
        {
            using var scope = NewDisposeScope(); // of a second wrapper of the copy
            slot.Copy?.copy_(slot.Parameter);
        }
    }

    /// <summary>
    /// Adds the gradients of the copies to those of the parameters, for sums over several backward passes in the parameters' precision.
    /// </summary>
    public override void AddUpGradients()
    {
        using var gradients = no_grad();
        foreach (var slot in _slots)
        {
            if (slot.Copy?.grad is not { } gradient)
                continue;
            using var scope = NewDisposeScope();
            using (gradient)
            {
                if (slot.Parameter.grad is { } sum)
                    sum.add_(gradient);
                else
                    slot.Parameter.grad = gradient.to(slot.Parameter.dtype);
            }

            slot.Copy.grad = null;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<Tensor> Gradients()
    {
        foreach (var slot in _slots)
        {
            if (slot.Gradient is { } gradient)
                yield return gradient;
        }
    }

    /// <inheritdoc/>
    public override void Step(double learningRate, double gradientFactor) => Step(learningRate, WeightDecay, gradientFactor);

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step size.</param>
    /// <param name="weightDecay">The share of a decaying parameter that is removed, times the learning rate.</param>
    /// <param name="gradientFactor">What gradients are multiplied with first: gradient clipping.</param>
    public void Step(double learningRate, double weightDecay, double gradientFactor)
    {
        StepCount++;
        using var gradients = no_grad();
        foreach (var slot in _slots)
        {
            if (slot.Gradient is not { } gradient)
                continue;
            using (gradient)
            {
                var rate = learningRate * (RateFactor?.Invoke(slot.Name) ?? 1);
                var decay = slot.Decays ? (float)(1 - rate * weightDecay) : 1f;
                var step = new StepFactors(
                    (float)gradientFactor, decay, (float)_beta1, (float)(1 - _beta1), (float)_beta2, (float)(1 - _beta2),
                    (float)(rate / (1 - Math.Pow(_beta1, StepCount))),
                    (float)Math.Sqrt(1 - Math.Pow(_beta2, StepCount)), (float)_epsilon);
                if (FlatTensor.IsPlain(slot.Parameter) && FlatTensor.IsPlain(gradient, ScalarType.BFloat16)
                    && (slot.Copy is null || slot.Copy.dtype == ScalarType.BFloat16))
                    UpdateInPlace(slot, gradient, step);
                else
                    UpdateByTensorOperations(slot, gradient, step);
            }
        }
    }

    /// <inheritdoc/>
    public override void ClearGradients()
    {
        foreach (var slot in _slots)
        {
            slot.Parameter.grad = null;
            if (slot.Copy is not null)
                slot.Copy.grad = null;
        }
    }

    public override void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
            slot.Copy?.Dispose();
        }
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

    /// <summary>The factors of one update; see <see cref="Step(double, double, double)"/>.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct StepFactors(
        float Gradient, float Decay, float Beta1, float OneMinusBeta1, float Beta2, float OneMinusBeta2, float Size,
        float SquareCorrection, float Epsilon);

    /// <summary>A parameter with its running means.</summary>
    internal sealed class Slot(string name, Parameter parameter, bool decays)
    {
        public string Name => name;

        public Parameter Parameter => parameter;

        public bool Decays => decays;

        public Tensor Mean { get; } = zeros(parameter.shape, ScalarType.Float32, parameter.device).DetachFromDisposeScope();

        public Tensor Square { get; } = zeros(parameter.shape, ScalarType.Float32, parameter.device).DetachFromDisposeScope();

        /// <summary>See <see cref="CopyOf"/>.</summary>
        public Tensor? Copy { get; set; }

        /// <summary>The gradient, as a new wrapper.</summary>
        public Tensor? Gradient => Parameter.grad ?? Copy?.grad;
    }
}
