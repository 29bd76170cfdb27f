using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// A running mean of the weights of a run's steps (Polyak and Juditsky 1992, here exponential): it lies where the steps go around, which is
/// often better than any of them.
/// </summary>
/// <remarks>
/// After update t the mean keeps a share of min(decay, (1 + t) / (10 + t)), so that it does not stay where the run began.
/// </remarks>
internal sealed class WeightAverage : IDisposable
{
    private readonly double _decay;
    private readonly List<(string Name, Parameter Parameter, Tensor Mean)> _weights;

    /// <param name="parameters">Whose mean it is; it begins with the values that they have.</param>
    /// <param name="decay">The largest share that an update keeps, from 0 to less than 1.</param>
    public WeightAverage(IEnumerable<(string Name, Parameter Parameter)> parameters, double decay)
    {
        using var gradients = no_grad();
        _decay = decay;
        _weights = [.. parameters.Select(p => (p.Name, p.Parameter, p.Parameter.clone().DetachFromDisposeScope()))];
    }

    /// <summary>The means under the names <c>parameter.average</c>.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        _weights.Select(weight => KeyValuePair.Create($"{weight.Name}.average", weight.Mean));

    /// <summary>Takes in the weights as an update left them.</summary>
    /// <param name="updates">How many there have been.</param>
    public void Update(int updates)
    {
        using var gradients = no_grad();
        var taken = 1 - Math.Min(_decay, (1.0 + updates) / (10.0 + updates));
        foreach (var (_, parameter, mean) in _weights)
        {
            using var scope = NewDisposeScope(); // of a second wrapper of the mean
            mean.lerp_(parameter, taken);
        }
    }

    /// <summary>Puts means in the place of weights, and weights in that of means.</summary>
    public void Exchange()
    {
        using var gradients = no_grad();
        foreach (var (_, parameter, mean) in _weights)
        {
            using var scope = NewDisposeScope();
            using var weights = parameter.clone();
            parameter.copy_(mean);
            mean.copy_(weights);
        }
    }

    public void Dispose() => _weights.ForEach(weight => weight.Mean.Dispose());
}
