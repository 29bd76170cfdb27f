namespace MLTransfer.Experiments;

/// <summary>Ends a trial only where its own loss has stopped to fall, and then where another pruner ends it too.</summary>
public sealed class PatientPruner : IPruner
{
    private readonly Dictionary<int, List<double>> _losses = [];
    private readonly IPruner? _wrapped;
    private readonly int _patience;
    private readonly double _minimumDelta;

    /// <param name="wrapped">Decides once the loss has stopped to fall; null where that is enough.</param>
    /// <param name="patience">Reports without a better loss that a trial may have.</param>
    /// <param name="minimumDelta">By how much the earlier losses must have been better.</param>
    public PatientPruner(IPruner? wrapped, int patience, double minimumDelta = 0)
    {
        OptionCheck.AtLeast(nameof(patience), patience, 0);
        if (!(minimumDelta >= 0))
            throw new ArgumentOutOfRangeException(nameof(minimumDelta), minimumDelta, "It is at least 0.");
        (_wrapped, _patience, _minimumDelta) = (wrapped, patience, minimumDelta);
    }

    /// <inheritdoc/>
    public void Report(int trialId, TrialReport report)
    {
        if (!_losses.TryGetValue(trialId, out var losses))
            _losses[trialId] = losses = [];
        losses.Add(report.Loss);
        _wrapped?.Report(trialId, report);
    }

    /// <inheritdoc/>
    public bool ShouldPrune(int trialId)
    {
        if (!_losses.TryGetValue(trialId, out var losses))
            return false;
        var border = losses.Count - _patience - 1;
        return border > 0 && Best(losses[..border]) + _minimumDelta < Best(losses[border..]) && (_wrapped?.ShouldPrune(trialId) ?? true);
    }

    /// <inheritdoc/>
    public void End(int trialId, TrialState state)
    {
        _losses.Remove(trialId);
        _wrapped?.End(trialId, state);
    }

    /// <summary>The smallest that is not NaN; NaN where all are, which is neither better nor worse.</summary>
    private static double Best(List<double> losses)
    {
        var best = double.NaN;
        foreach (var loss in losses)
        {
            if (!(loss >= best) && !double.IsNaN(loss))
                best = loss;
        }

        return best;
    }
}
