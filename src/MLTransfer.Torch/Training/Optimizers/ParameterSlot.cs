using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>A parameter with what an optimizer keeps for it.</summary>
/// <param name="name">Under which its state is saved.</param>
/// <param name="parameter">What is changed.</param>
/// <param name="decays">Whether weight decay applies to it.</param>
internal abstract class ParameterSlot(string name, Parameter parameter, bool decays) : IDisposable
{
    private readonly List<(string Name, Tensor Tensor)> _state = [];

    public string Name => name;

    public Parameter Parameter => parameter;

    public bool Decays => decays;

    /// <summary>A copy of the parameter in another type; see <see cref="Optimizer.CopyOf"/>.</summary>
    public Tensor? Copy { get; set; }

    /// <summary>The gradient, as a new wrapper.</summary>
    public Tensor? Gradient => Parameter.grad ?? Copy?.grad;

    /// <summary>What updates depend on, under the parameter's name and one of its own.</summary>
    public virtual IEnumerable<KeyValuePair<string, Tensor>> State =>
        _state.Select(state => KeyValuePair.Create($"{Name}.{state.Name}", state.Tensor));

    /// <summary>Brings the copy, where there is one, to what the parameter is now.</summary>
    public void RenewCopy()
    {
        using var scope = NewDisposeScope(); // of a second wrapper of the copy
        Copy?.copy_(Parameter);
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        _state.ForEach(state => state.Tensor.Dispose());
        Copy?.Dispose();
    }

    /// <summary>Zeros that updates change; the slot owns them.</summary>
    /// <param name="name">What they are called beside the parameter's name.</param>
    /// <param name="shape">Their shape; the parameter's where null.</param>
    protected Tensor AddState(string name, long[]? shape = null)
    {
        using var gradients = no_grad();
        var state = zeros(shape ?? Parameter.shape, ScalarType.Float32, Parameter.device).DetachFromDisposeScope();
        _state.Add((name, state));
        return state;
    }

    /// <summary>A gradient in float32, times a factor, in the current dispose scope.</summary>
    public static Tensor Scaled(Tensor gradient, double factor)
    {
        var wide = gradient.to(ScalarType.Float32);
        return factor == 1 ? wide : wide * factor;
    }
}
