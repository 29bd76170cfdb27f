using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Computes a <see cref="TrainingLoss"/> and the figure that people read beside it.</summary>
internal sealed class LossFunction
{
    private const double SmallestProbability = 1e-7;

    private readonly TrainingLoss _loss;
    private readonly Activation _pending;

    /// <param name="loss">The loss.</param>
    /// <param name="finalActivation">The network's final activation.</param>
    public LossFunction(TrainingLoss loss, Activation finalActivation)
    {
        _loss = loss;
        TakesLogits = (loss, finalActivation) is
            (TrainingLoss.BinaryCrossEntropy, Activation.Sigmoid) or (TrainingLoss.CategoricalCrossEntropy, Activation.Softmax);
        _pending = TakesLogits ? finalActivation : Activation.None;
    }

    /// <summary>
    /// Whether the network's output is to be given without its final activation: the logarithm of a sigmoid or softmax is exact where that
    /// of its rounded value is not.
    /// </summary>
    public bool TakesLogits { get; }

    /// <summary>What <see cref="Metric"/> is called.</summary>
    public string MetricName => _loss is TrainingLoss.MeanSquaredError or TrainingLoss.MeanAbsoluteError ? "mean absolute error"
        : "accuracy";

    /// <summary>A scalar from two tensors [batch, ...].</summary>
    public Tensor Loss(Tensor output, Tensor target)
    {
        using var scope = NewDisposeScope();
        return (_loss switch
        {
            TrainingLoss.MeanSquaredError => F.mse_loss(output, target),
            TrainingLoss.MeanAbsoluteError => F.l1_loss(output, target),
            TrainingLoss.BinaryCrossEntropy when TakesLogits => F.binary_cross_entropy_with_logits(output, target),
            TrainingLoss.BinaryCrossEntropy => F.binary_cross_entropy(Inside(output), target),
            TrainingLoss.CategoricalCrossEntropy =>
                -(target * (TakesLogits ? F.log_softmax(output, -1) : Inside(output).log())).sum(-1).mean(),
            _ => throw new InvalidOperationException($"The loss {_loss} is not defined."),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The mean absolute error, or the share of outputs on the right side of 0.5 or of rows whose largest class is right.
    /// </summary>
    public double Metric(Tensor output, Tensor target)
    {
        using var scope = NewDisposeScope();
        var values = Finish(output.detach());
        return (_loss switch
        {
            TrainingLoss.BinaryCrossEntropy => values.gt(0.5).eq(target.gt(0.5)).to(ScalarType.Float32).mean(),
            TrainingLoss.CategoricalCrossEntropy => values.argmax(-1).eq(target.argmax(-1)).to(ScalarType.Float32).mean(),
            _ => (values - target).abs().mean(),
        }).item<float>();
    }

    /// <summary>The output with the final activation that <see cref="TakesLogits"/> left out.</summary>
    public Tensor Finish(Tensor output) => ActivationFunction.Apply(_pending, output);

    private static Tensor Inside(Tensor probabilities) => probabilities.clamp(SmallestProbability, 1 - SmallestProbability);
}
