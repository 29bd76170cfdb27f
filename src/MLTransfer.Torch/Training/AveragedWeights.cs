namespace MLTransfer.Torch.Training;

/// <summary>Puts the means of weights, where a run keeps such, in the place of the weights until it is disposed.</summary>
internal sealed class AveragedWeights : IDisposable
{
    private readonly IReadOnlyList<WeightAverage> _averages;
    private readonly Action _changed;

    /// <param name="players">Whose weights.</param>
    /// <param name="changed">Called after weights have changed.</param>
    public AveragedWeights(IEnumerable<Player> players, Action changed)
    {
        (_averages, _changed) = ([.. players.Select(player => player.Average).OfType<WeightAverage>()], changed);
        Exchange();
    }

    public void Dispose() => Exchange();

    private void Exchange()
    {
        foreach (var average in _averages)
            average.Exchange();
        if (_averages.Count > 0)
            _changed();
    }
}
