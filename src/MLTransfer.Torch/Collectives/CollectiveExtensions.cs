namespace MLTransfer.Torch.Collectives;

/// <summary>Results that ranks bring together.</summary>
public static class CollectiveExtensions
{
    /// <summary>Gives all ranks the results of all, in the order of ranks: what each made of its share of the rows.</summary>
    /// <typeparam name="T">What JSON can say, such as a text or an array of numbers.</typeparam>
    /// <param name="ranks">The ranks, all of which call it.</param>
    /// <param name="own">This rank's results; each may have another number of them.</param>
    public static IReadOnlyList<T> Gather<T>(this ICollective ranks, IReadOnlyList<T> own)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(own);
        return [.. ranks.GatherAll<T[]>([.. own]).SelectMany(part => part)];
    }
}
