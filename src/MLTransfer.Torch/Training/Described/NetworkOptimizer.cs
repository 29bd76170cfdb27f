using MLTransfer.Torch.Networks.Described;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = MLTransfer.Torch.Training.Optimizers.AdamW;

namespace MLTransfer.Torch.Training.Described;

/// <summary>The optimizer that the options ask for.</summary>
internal sealed class NetworkOptimizer : IDisposable
{
    private readonly IReadOnlyList<Tensor> _parameters;
    private readonly ModuleTrainingOptions _options;
    private readonly AdamW? _adam;
    private readonly SGD? _descent;

    public NetworkOptimizer(TransferNetwork network, ModuleTrainingOptions options)
    {
        _options = options;
        var parameters = network.TrainableParameters.ToList();
        _parameters = [.. parameters.Select(p => p.Value)];
        if (options.Optimizer == OptimizerAlgorithm.StochasticGradientDescent)
        {
            _descent = optim.SGD(parameters.Select(p => (Parameter)p.Value), options.LearningRate, options.Momentum);
        }
        else
        {
            // Weight decay spares the vectors: biases and normalization weights.
            _adam = new AdamW(parameters.Select(p => (p.Key, (Parameter)p.Value, Decays: p.Value.dim() > 1)), 0.9, 0.999, 1e-8);
        }
    }

    public void Step()
    {
        if (_adam is not null)
            _adam.Step(_options.LearningRate, _options.WeightDecay, gradientFactor: 1);
        else
            _descent!.step()?.Dispose(); // the loss of a closure, which there is not
    }

    public void ClearGradients()
    {
        foreach (var parameter in _parameters)
            parameter.grad = null;
    }

    public void Dispose()
    {
        _adam?.Dispose();
        _descent?.Dispose();
    }
}
