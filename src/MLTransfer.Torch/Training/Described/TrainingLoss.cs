using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Described;

/// <summary>What training makes small: the distance of the network's output from the target, averaged over elements and rows.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingLoss>))]
public enum TrainingLoss
{
    /// <summary>The mean of (output - target)^2.</summary>
    MeanSquaredError,

    /// <summary>The mean of |output - target|.</summary>
    MeanAbsoluteError,

    /// <summary>
    /// The mean of -target log(output) - (1 - target) log(1 - output), for outputs that are probabilities, such as those of
    /// <see cref="Activation.Sigmoid"/>, and targets from 0 to 1.
    /// </summary>
    BinaryCrossEntropy,

    /// <summary>
    /// The mean over rows of -sum(target log(output)), for outputs that are the probabilities of classes, such as those of
    /// <see cref="Activation.Softmax"/>, and targets that are probabilities too, one of them 1 for a class that is known.
    /// </summary>
    CategoricalCrossEntropy,
}
