namespace MLTransfer.Experiments;

/// <summary>Ends trials early whose reports are worse than those of others.</summary>
/// <remarks>
/// It is told of all trials in the order in which things happen; several may be under way. An experiment that goes on from its journal
/// tells a new one all that it told the earlier one.
/// </remarks>
public interface IPruner
{
    /// <summary>Takes a report of a trial that is under way.</summary>
    /// <param name="trialId">The trial's number, from 0 on.</param>
    /// <param name="report">Its step is larger than those before it. A loss that is NaN counts as worse than any.</param>
    void Report(int trialId, TrialReport report);

    /// <summary>Says whether a trial shall end after its last report; asked at most once for each.</summary>
    /// <param name="trialId">The trial's number.</param>
    bool ShouldPrune(int trialId);

    /// <summary>Is told that a trial ended.</summary>
    /// <param name="trialId">The trial's number.</param>
    /// <param name="state">How it ended.</param>
    void End(int trialId, TrialState state);
}
