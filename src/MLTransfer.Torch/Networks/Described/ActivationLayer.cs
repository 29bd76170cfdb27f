using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Activate"/>
/// <param name="Activation">The function.</param>
public sealed record ActivationLayer(Activation Activation) : Layer
{
    /// <summary>What <see cref="Numerics.Activation.LeakyRelu"/> multiplies negative values with.</summary>
    public double NegativeSlope { get; init; } = RowActivations.LeakySlope;

    internal override Activation FinalActivation => Activation;

    internal override double FinalSlope => NegativeSlope;

    internal override void Check()
    {
        CheckDefined(Activation);
        if (!double.IsFinite(NegativeSlope))
            throw new ArgumentOutOfRangeException(nameof(NegativeSlope), NegativeSlope, $"{nameof(NegativeSlope)} must be finite.");
    }

    internal override long[] OutputShape(LayerPlace place) => place.Shape;

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) => input.alias();
}
