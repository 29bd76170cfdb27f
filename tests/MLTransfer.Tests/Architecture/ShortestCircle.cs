using System.Collections.Immutable;

namespace MLTransfer.Tests.Architecture;

internal static class ShortestCircle
{
    /// <summary>The arrows of a shortest circle, each starting where the one before ends; none where there is no circle.</summary>
    public static ImmutableArray<Arrow> Of(IEnumerable<Arrow> arrows)
    {
        var outgoing = arrows.DistinctBy(arrow => (arrow.From, arrow.To)).ToLookup(arrow => arrow.From);
        return outgoing.Select(arrow => Through(arrow.Key, outgoing)).Where(circle => !circle.IsEmpty).OrderBy(circle => circle.Length)
            .FirstOrDefault([]);
    }

    private static ImmutableArray<Arrow> Through(string start, ILookup<string, Arrow> outgoing)
    {
        var reached = new HashSet<string>();
        var paths = new Queue<ImmutableArray<Arrow>>([[]]);
        while (paths.TryDequeue(out var path))
        {
            foreach (var arrow in outgoing[path.IsEmpty ? start : path[^1].To])
            {
                if (arrow.To == start)
                    return path.Add(arrow);
                if (reached.Add(arrow.To))
                    paths.Enqueue(path.Add(arrow));
            }
        }

        return [];
    }
}
