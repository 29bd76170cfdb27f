namespace MLTransfer.Experiments;

/// <summary>Does a trial: builds what its values say, trains it and measures it.</summary>
public interface ITrialRunner : IDisposable
{
    /// <summary>Does one trial.</summary>
    /// <param name="settings">Its values; takes reports on the way.</param>
    /// <param name="ct">Cancelled when the trial is pruned or skipped, and when the experiment ends.</param>
    /// <returns>The loss, and what was fitted.</returns>
    Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct);
}
