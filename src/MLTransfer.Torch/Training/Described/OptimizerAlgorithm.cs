using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Described;

/// <summary>How a gradient changes a parameter.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OptimizerAlgorithm>))]
public enum OptimizerAlgorithm
{
    /// <summary>Adam (arXiv 1412.6980) with beta 0.9 and 0.999 and epsilon 1e-8.</summary>
    Adam,

    /// <summary>Adam with decoupled weight decay (arXiv 1711.05101).</summary>
    AdamW,

    /// <summary>Stochastic gradient descent, with momentum where wanted.</summary>
    StochasticGradientDescent,
}
