using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// What an optimizer can be told beyond the learning rate, weight decay and Adam's coefficients (<c>optim_args</c>): a class for each
/// <see cref="OptimizerAlgorithm"/> that has such options.
/// </summary>
[JsonDerivedType(typeof(StochasticGradientDescentOptions), "sgd")]
[JsonDerivedType(typeof(AdafactorOptions), "adafactor")]
[JsonDerivedType(typeof(LionOptions), "lion")]
[JsonDerivedType(typeof(MuonOptions), "muon")]
[JsonDerivedType(typeof(ScheduleFreeOptions), "schedule_free")]
public abstract record OptimizerOptions
{
    private protected OptimizerOptions()
    {
    }

    /// <summary>Whose options they are.</summary>
    internal abstract OptimizerAlgorithm Algorithm { get; }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal abstract void Check();
}
