using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Stochastic gradient descent, with momentum as PyTorch's SGD has it: v = momentum v + g, w = w - rate v.</summary>
/// <param name="parameters">Named parameters.</param>
/// <param name="momentum">The share of the last step that the next one keeps; 0 for none.</param>
internal sealed class StochasticGradientDescent(IEnumerable<(string Name, Parameter Parameter)> parameters, double momentum) : Optimizer
{
    private readonly List<Slot> _slots =
        [.. parameters.Select(p => new Slot(p.Name, p.Parameter, momentum > 0 ? Zeros(p.Parameter) : null))];

    /// <summary>The speeds under the names <c>parameter.momentum_buffer</c>, where there is momentum.</summary>
    public override IEnumerable<KeyValuePair<string, Tensor>> State => _slots.Where(slot => slot.Speed is not null)
        .Select(slot => KeyValuePair.Create($"{slot.Name}.momentum_buffer", slot.Speed!));

    /// <inheritdoc/>
    public override IEnumerable<Tensor> Gradients()
    {
        foreach (var slot in _slots)
        {
            if (slot.Parameter.grad is { } gradient)
                yield return gradient;
        }
    }

    /// <inheritdoc/>
    public override void AddUpGradients()
    {
        // libtorch adds to the gradients that there are.
    }

    /// <inheritdoc/>
    public override void Step(double learningRate, double gradientFactor)
    {
        StepCount++;
        using var gradients = no_grad();
        foreach (var slot in _slots)
        {
            using var scope = NewDisposeScope(); // of the second wrappers that operations in place return
            if (slot.Parameter.grad is not { } gradient)
                continue;
            var change = gradientFactor == 1 ? gradient : gradient * gradientFactor;
            if (slot.Speed is { } speed)
            {
                speed.mul_(momentum).add_(change);
                change = speed;
            }

            slot.Parameter.add_(change, alpha: -learningRate);
        }
    }

    /// <inheritdoc/>
    public override void ClearGradients()
    {
        foreach (var slot in _slots)
            slot.Parameter.grad = null;
    }

    public override void Dispose()
    {
        foreach (var slot in _slots)
            slot.Speed?.Dispose();
    }

    private static Tensor Zeros(Parameter parameter)
    {
        using var gradients = no_grad();
        return zeros_like(parameter).DetachFromDisposeScope();
    }

    /// <param name="Name">The parameter's.</param>
    /// <param name="Parameter">What is changed.</param>
    /// <param name="Speed">The sum of earlier gradients, each smaller by the momentum for every step since; null without momentum.</param>
    private sealed record Slot(string Name, Parameter Parameter, Tensor? Speed);
}
