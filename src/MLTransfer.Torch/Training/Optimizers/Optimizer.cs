using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Changes parameters by their gradients.</summary>
internal abstract class Optimizer : IDisposable
{
    /// <summary>The number of updates done.</summary>
    public int StepCount { get; set; }

    /// <summary>
    /// What an update depends on beside gradients and <see cref="StepCount"/>, under names that begin with those of the parameters.
    /// </summary>
    public abstract IEnumerable<KeyValuePair<string, Tensor>> State { get; }

    /// <summary>The gradients that there are, as new wrappers of the caller's, in the order of the parameters.</summary>
    public abstract IEnumerable<Tensor> Gradients();

    /// <summary>Makes ready for another backward pass, whose gradients are added.</summary>
    public abstract void AddUpGradients();

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The step size.</param>
    /// <param name="gradientFactor">What gradients are multiplied with first: gradient clipping.</param>
    public abstract void Step(double learningRate, double gradientFactor);

    /// <summary>
    /// Frees the gradients. The next backward pass makes its own, which costs less than zeroing these and adding to them.
    /// </summary>
    public abstract void ClearGradients();

    public abstract void Dispose();

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public double GradientNorm()
    {
        double sum = 0;
        foreach (var gradient in Gradients())
        {
            using (gradient)
                sum += SumOfSquares.Of(gradient);
        }

        return Math.Sqrt(sum);
    }
}
