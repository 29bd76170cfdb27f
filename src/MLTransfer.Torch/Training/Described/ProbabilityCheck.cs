using System.Globalization;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Tells whether a network gives the probabilities that a cross-entropy takes, before it is trained on something else.</summary>
internal static class ProbabilityCheck
{
    private const double Tolerance = 1e-3;

    /// <exception cref="ArgumentException">The network ends otherwise; the message says how it has to.</exception>
    public static void ThrowIfNone(TransferNetwork network, TrainingLoss loss)
    {
        if (loss is not (TrainingLoss.BinaryCrossEntropy or TrainingLoss.CategoricalCrossEntropy))
            return;
        var activation = loss == TrainingLoss.CategoricalCrossEntropy ? Activation.Softmax : Activation.Sigmoid;
        if (network.NewLayers.FinalActivation == activation)
            return;
        // Layers may make probabilities in another way, and a pretrained network's last layer may be none of this library's: what they
        // give tells.
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        const int rows = 4;
        var count = network.InputShape.Aggregate(1L, (product, extent) => product * extent);
        var output = network.Forward(arange(rows * count, ScalarType.Float32).mul(1.7).sin().view([rows, .. network.InputShape]));
        var (least, most) = (output.min().item<float>(), output.max().item<float>());
        var furthest = loss == TrainingLoss.BinaryCrossEntropy ? 0 : output.sum(-1).sub(1).abs().max().item<float>();
        if (least >= 0 && most <= 1 && furthest <= Tolerance)
            return;
        var sum = loss == TrainingLoss.CategoricalCrossEntropy ? " whose sum is not 1" : "";
        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
            $"{nameof(ModuleTrainingOptions.Loss)} is {loss}, which takes probabilities, but the network gives numbers from "
            + $"{least:0.###} to {most:0.###}{sum}. Let the last layer end with {nameof(Activation)}.{activation}: "
            + $"Layer.Dense(units, Activation.{activation}), or Layer.Activate(Activation.{activation})."));
    }
}
