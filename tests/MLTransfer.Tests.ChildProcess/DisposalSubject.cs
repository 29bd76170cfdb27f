namespace MLTransfer.Tests.ChildProcess;

/// <summary>An object that threads use while it is disposed.</summary>
/// <param name="Name">The kind of object.</param>
/// <param name="Calls">What threads do with it.</param>
/// <param name="Disposals">Ways to dispose it, after which every call is refused.</param>
/// <param name="IsFreed">Whether its weights are freed.</param>
internal sealed record DisposalSubject(
    string Name, IReadOnlyList<(string Name, Action Call)> Calls, IReadOnlyList<Action> Disposals, Func<bool> IsFreed)
{
    /// <summary>Whether only one thread may call it at a time.</summary>
    public bool IsForOneThread { get; init; }

    /// <summary>Milliseconds within which it is disposed.</summary>
    public int LongestDelay { get; init; } = 25;
}
