using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>A pretrained network that new layers are put on.</summary>
public abstract class BaseNetwork : IDisposable
{
    private protected BaseNetwork(string description) => Description = description;

    /// <summary>What error messages call the network.</summary>
    public string Description { get; }

    /// <summary>The shape of an input without the batch, where the network has one of its own; otherwise null.</summary>
    public virtual IReadOnlyList<long>? InputShape => null;

    /// <summary>All parameters by name, those of one layer behind each other in the order of the network.</summary>
    public virtual IReadOnlyList<KeyValuePair<string, Tensor>> Parameters => [];

    /// <summary>Tensors that training gathers but no gradient changes, such as the statistics of a batch normalization.</summary>
    public virtual IReadOnlyList<KeyValuePair<string, Tensor>> Buffers => [];

    /// <summary>Whether a parameter takes part in training.</summary>
    internal bool IsTrainable => Parameters.Any(parameter => parameter.Value.requires_grad);

    /// <summary>Where dropout draws from.</summary>
    internal virtual DropoutSource DropoutSource { get; set; } = new();

    /// <summary>[batch, input shape] to [batch, features].</summary>
    public abstract Tensor Forward(Tensor input);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The layer that a parameter belongs to: its name without the last part.</summary>
    internal virtual string LayerOf(string parameterName)
    {
        var dot = parameterName.LastIndexOf('.');
        return dot < 0 ? "" : parameterName[..dot];
    }

    /// <summary>Switches dropout and batch statistics on or off. Layers all of whose parameters are frozen stay as in inference.</summary>
    internal virtual void SetTraining(bool training)
    {
    }

    /// <summary>The shape of the features for inputs of a shape, both without the batch, found by computing them for zeros.</summary>
    /// <exception cref="ArgumentException">The network does not take such inputs.</exception>
    internal virtual long[] FindOutputShape(IReadOnlyList<long> inputShape)
    {
        const int batch = 2;
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Tensor output;
        try
        {
            output = Forward(zeros([batch, .. inputShape]));
        }
        catch (Exception exception) when (exception is System.Runtime.InteropServices.ExternalException or InvalidOperationException)
        {
            throw new ArgumentException(
                $"Shape mismatch: {Description} does not take inputs of shape {TensorShape.Describe(inputShape)}"
                + (InputShape is { } own ? $", its own is {TensorShape.Describe(own)}" : "")
                + $": {FirstLine(exception.Message)}", exception);
        }

        if (output.dim() < 2 || output.shape[0] != batch || output.dtype != ScalarType.Float32)
        {
            throw new ArgumentException(
                $"{Description} gives {output.dtype} of shape {TensorShape.Describe(output.shape)} for a batch of {batch} inputs of shape "
                + $"{TensorShape.Describe(inputShape)}; expected Float32 of shape [{batch}, ...].");
        }

        return output.shape[1..];
    }

    private static string FirstLine(string message) => message.Split('\n')[0];
}
