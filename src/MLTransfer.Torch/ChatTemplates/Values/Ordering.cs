namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Python's order of values.</summary>
internal static class Ordering
{
    /// <summary>Below 0, 0 or above 0; none where a NaN is in it.</summary>
    public static int? Compare(object? left, object? right, string operation = "<")
    {
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Error();
        if (Numbers.Is(left) && Numbers.Is(right))
            return Numbers.Compare(left, right);
        if (Texts.TryGet(left) is { } first && Texts.TryGet(right) is { } second)
            return Texts.Compare(first, second);
        if ((left, right) is (ListValue, ListValue) or (TupleValue, TupleValue))
        {
            NestingGuard.Check();
            var (lefts, rights) = (((SequenceValue)left!).Items, ((SequenceValue)right!).Items);
            for (var index = 0; index < Math.Min(lefts.Count, rights.Count); index++)
            {
                if (!Equality.AreEqual(lefts[index], rights[index]))
                    return Compare(lefts[index], rights[index], operation);
            }
            return lefts.Count.CompareTo(rights.Count);
        }
        throw new ChatTemplateException($"'{operation}' not supported between '{TypeName.Of(left)}' and '{TypeName.Of(right)}'");
    }

    /// <summary>A stable sort; in descending order equal items keep their places, too.</summary>
    public static List<T> Sort<T>(IReadOnlyList<T> items, Func<T, object?> key, bool isDescending)
    {
        var current = items.Select(item => (Item: item, Key: key(item))).ToArray();
        var merged = new (T Item, object? Key)[current.Length];
        for (var width = 1; width < current.Length; width *= 2)
        {
            for (var start = 0; start < current.Length; start += 2 * width)
            {
                var (middle, end) = (Math.Min(start + width, current.Length), Math.Min(start + (2 * width), current.Length));
                var (left, right) = (start, middle);
                for (var index = start; index < end; index++)
                {
                    var takesRight = left == middle || (right < end && (isDescending
                        ? Compare(current[left].Key, current[right].Key) < 0 : Compare(current[right].Key, current[left].Key) < 0));
                    merged[index] = takesRight ? current[right++] : current[left++];
                }
            }
            (current, merged) = (merged, current);
        }
        return [.. current.Select(item => item.Item)];
    }
}
