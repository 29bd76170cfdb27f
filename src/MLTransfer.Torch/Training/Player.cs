using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Parameters that are trained together, by one optimizer: all of most models, or one of two networks that play against each other.
/// </summary>
/// <param name="name">Tells it from the run's others in its files; empty where it is the only one.</param>
/// <param name="optimizer">Changes the parameters. The player owns it.</param>
internal sealed class Player(string name, Optimizer optimizer) : IDisposable
{
    public Optimizer Optimizer => optimizer;

    /// <summary>What the run's learning rate is multiplied with.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Gradients with a larger norm are scaled down to it; 0 for as they are.</summary>
    public double MaximumGradientNorm { get; init; }

    /// <summary>The mean of the weights over steps, by which they are judged and which the run ends with; null for none. The player owns
    /// it.</summary>
    public WeightAverage? Average { get; init; }

    /// <summary>The state of optimizer and mean under names that are unique in the run.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => name.Length == 0
        ? OwnState
        : OwnState.Select(tensor => KeyValuePair.Create($"{name}.{tensor.Key}", tensor.Value));

    private IEnumerable<KeyValuePair<string, Tensor>> OwnState => optimizer.State.Concat(Average?.State ?? []);

    public void Dispose()
    {
        optimizer.Dispose();
        Average?.Dispose();
    }
}
