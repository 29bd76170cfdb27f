using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Training.Ranks;

namespace MLTransfer.Torch.Training;

/// <summary>Refuses a training that the memory of the process is too small for.</summary>
internal static class MemoryCheck
{
    /// <summary>Does nothing where the estimate is within the limit.</summary>
    /// <param name="estimate">What training takes.</param>
    /// <param name="options">Have the limit, if there is one.</param>
    /// <param name="remedies">
    /// Makes changes of options, those first that change least of what is learned, of a limit; the last one is all of them together.
    /// </param>
    /// <exception cref="InsufficientMemoryException">Training would take more; the message tells what would take less.</exception>
    public static void Run(MemoryEstimate estimate, TrainingOptions options, Func<long, IReadOnlyList<MemoryRemedy>> remedies)
    {
        var limit = options.MemoryLimit ?? ProcessMemory.Limit();
        if (estimate.Total <= limit)
            return;
        // Other threads take and free memory between two looks at the process: estimates are compared by the first.
        var compared = remedies(limit)
            .Select(remedy => remedy with { Estimate = remedy.Estimate with { Runtime = estimate.Runtime } }).ToList();
        var (name, there) = (nameof(TrainingOptions.MemoryLimit), MemoryEstimate.Text(limit));
        var bound = options.MemoryLimit is null ? $"{there} are there" : $"{name} is {there}";
        var exception = new InsufficientMemoryException(
            $"Training would take about {estimate}, but {bound}{Advice(estimate, limit, compared)}; "
            + $"{name} = long.MaxValue trains anyway.");
        new RunRanks(options.Collective).Abort(exception); // others may have more memory, and would wait for this one
        throw exception;
    }

    private static string Advice(MemoryEstimate estimate, long limit, IReadOnlyList<MemoryRemedy> remedies)
    {
        var helping = remedies.Where(remedy => remedy.Estimate.Total < estimate.Total).ToList();
        if (helping.Count == 0)
            return ", and no option makes it less: take a smaller network";
        var single = helping.Where(remedy => remedy != remedies[^1]).ToList();
        var enough = single.Where(remedy => remedy.Estimate.Total <= limit).ToList();
        if (enough.Count > 0)
            return $": set {List(enough, " or ")}";
        return helping[^1].Estimate.Total <= limit
            ? $": set {List(helping, ", ")}, of which none is enough by itself"
            : $", and even {List([helping[^1]], "")} are too much: take a smaller network";

        static string List(IReadOnlyList<MemoryRemedy> remedies, string last)
        {
            var texts = remedies.Select(remedy => $"{remedy.Change} ({MemoryEstimate.Text(remedy.Estimate.Total)})").ToList();
            return texts.Count == 1 ? texts[0] : string.Join(", ", texts.SkipLast(1)) + last + texts[^1];
        }
    }
}
