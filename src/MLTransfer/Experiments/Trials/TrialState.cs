namespace MLTransfer.Experiments;

/// <summary>How far a trial is, and how it ended.</summary>
public enum TrialState
{
    /// <summary>It is under way.</summary>
    Running,

    /// <summary>It has a loss.</summary>
    Completed,

    /// <summary>It was ended early because its reports were worse than those of others; its loss is that of the last report.</summary>
    Pruned,

    /// <summary>It threw, took too much memory, or its loss is not finite.</summary>
    Failed,

    /// <summary>It was ended by <c>SkipCurrentTrial</c>.</summary>
    Skipped,
}
