namespace MLTransfer.Experiments;

/// <summary>Chooses what is tried next, from what was tried before.</summary>
/// <remarks>
/// An experiment that goes on from its journal asks and tells a new tuner all that it asked and told the earlier one, in the same order: a
/// tuner whose choices depend on nothing else, as those of this library's do, goes on as if nothing had happened.
/// </remarks>
public interface ITuner
{
    /// <summary>Chooses the values of a trial.</summary>
    /// <param name="settings">The trial, whose <see cref="TrialSettings.Parameter"/> this will be.</param>
    /// <returns>Values of the search space; null where there is nothing left to try, which ends the experiment.</returns>
    Parameter? Propose(TrialSettings settings);

    /// <summary>Is told how a trial ended, also one that failed or was pruned. Several trials may be under way.</summary>
    void Update(TrialResult result);
}
