using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <inheritdoc cref="Layer.Dropout"/>
/// <param name="Probability">From 0 to less than 1.</param>
public sealed record DropoutLayer(double Probability) : Layer
{
    internal override void Check()
    {
        if (Probability is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(
                nameof(Probability), Probability, $"{nameof(Probability)} must be from 0 to less than 1.");
    }

    internal override long[] OutputShape(LayerPlace place) => place.Shape;

    internal override Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass) =>
        pass.Dropout.Apply(input, Probability, pass.IsTraining);
}
