using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>How a gradient changes a parameter (<c>optim</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OptimizerAlgorithm>))]
public enum OptimizerAlgorithm
{
    /// <summary>Adam (arXiv 1412.6980): AdamW without weight decay.</summary>
    Adam,

    /// <summary>Adam with decoupled weight decay (arXiv 1711.05101).</summary>
    AdamW,

    /// <summary>Stochastic gradient descent, with momentum where wanted; see <see cref="StochasticGradientDescentOptions"/>.</summary>
    StochasticGradientDescent,

    /// <summary>
    /// Adafactor (arXiv 1804.04235): of squared gradients of a matrix only the means of rows and columns are kept; see
    /// <see cref="AdafactorOptions"/>.
    /// </summary>
    Adafactor,

    /// <summary>Lion (arXiv 2302.06675): steps of one size, in the direction of the momentum's sign; see
    /// <see cref="LionOptions"/>.</summary>
    Lion,

    /// <summary>
    /// Muon (Jordan et al. 2024, arXiv 2502.16982): the momentum of a matrix is made orthogonal; AdamW for what is no matrix inside the
    /// network. See <see cref="MuonOptions"/>.
    /// </summary>
    Muon,

    /// <summary>
    /// AdamW without a schedule (arXiv 2405.15682): gradients are taken between the steps and their mean; the mean is what is evaluated,
    /// saved and kept. See <see cref="ScheduleFreeOptions"/>.
    /// </summary>
    ScheduleFreeAdamW,
}
