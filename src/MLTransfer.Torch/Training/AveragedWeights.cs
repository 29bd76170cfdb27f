namespace MLTransfer.Torch.Training;

/// <summary>
/// Puts the means of weights, where a run or its optimizers keep such, in the place of the weights until it is disposed.
/// </summary>
internal sealed class AveragedWeights : IDisposable
{
    private readonly List<Action> _exchanges;
    private readonly Action _changed;

    /// <param name="exchanges">What puts means in the place of weights, and weights back.</param>
    /// <param name="changed">Called after weights have changed.</param>
    private AveragedWeights(IEnumerable<Action> exchanges, Action changed)
    {
        (_exchanges, _changed) = ([.. exchanges], changed);
        Exchange();
    }

    /// <summary>All means: weights to evaluate and to keep.</summary>
    /// <param name="players">Whose weights.</param>
    /// <param name="changed">Called after weights have changed.</param>
    public static AveragedWeights Of(IReadOnlyList<Player> players, Action changed) => new(
        players.Select(player => player.Average).OfType<WeightAverage>().Select(average => (Action)average.Exchange)
            .Concat(OfOptimizers(players)),
        changed);

    /// <summary>Those that optimizers keep, from which training goes on: weights to save.</summary>
    /// <param name="players">Whose weights.</param>
    /// <param name="changed">Called after weights have changed.</param>
    public static AveragedWeights ToSave(IReadOnlyList<Player> players, Action changed) => new(OfOptimizers(players), changed);

    public void Dispose() => Exchange();

    private static IEnumerable<Action> OfOptimizers(IReadOnlyList<Player> players) =>
        players.Where(player => player.Optimizer.HasOwnAverage).Select(player => (Action)player.Optimizer.ExchangeWeights);

    private void Exchange()
    {
        _exchanges.ForEach(exchange => exchange());
        if (_exchanges.Count > 0)
            _changed();
    }
}
