using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Filters of lists and dictionaries.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<KeyValuePair<string, Filter>> All => new Dictionary<string, Filter>
    {
        ["default"] = Default,
        ["d"] = Default,
        ["length"] = (_, value, _) => new BigInteger(Iteration.Length(value)),
        ["count"] = (_, value, _) => new BigInteger(Iteration.Length(value)),
        ["list"] = (evaluator, value, _) => new ListValue(Iteration.ToList(evaluator.Budget, value)),
        ["first"] = (_, value, _) => Iteration.Over(value).DefaultIfEmpty(new Undefined("there is no first item")).First(),
        ["last"] = (_, value, _) =>
            value is OneTimeSequence ? throw new ChatTemplateException("a sequence of one pass has no last item: use '|list'")
            : Iteration.Over(value).DefaultIfEmpty(new Undefined("there is no last item")).Last(),
        ["reverse"] = (evaluator, value, _) => Texts.TryGet(value) is { } text ? string.Concat(Enumerable.Reverse(Texts.Split(text)))
            : new OneTimeSequence(Enumerable.Reverse(Iteration.ToList(evaluator.Budget, value))),
        ["items"] = (_, value, _) => value is Undefined ? new OneTimeSequence([])
            : value is DictionaryValue dictionary
                ? new OneTimeSequence(dictionary.Items.Select(item => new TupleValue([item.Key, item.Value])))
            : throw new ChatTemplateException("only a dictionary has items"),
        ["sort"] = Sort,
        ["dictsort"] = SortDictionary,
        ["unique"] = Unique,
        ["min"] = (evaluator, value, arguments) => Extreme(evaluator, value, arguments, isLargest: false),
        ["max"] = (evaluator, value, arguments) => Extreme(evaluator, value, arguments, isLargest: true),
        ["sum"] = Sum,
        ["batch"] = Batch,
        ["slice"] = Slice,
        ["groupby"] = Group,
    };

    private static object? Default(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("default", 0, "default_value", "boolean");
        return value is Undefined || (bound.Flag(1) && !Truth.Of(value)) ? bound.Get(0, "") : value;
    }

    private static object? Key(object? value, bool isCaseSensitive) =>
        !isCaseSensitive && Texts.TryGet(value) is { } text ? Letters.Lower(text) : value;

    private static Func<object?, object?> KeyOf(Evaluator evaluator, object? attribute, bool isCaseSensitive) => item =>
    {
        evaluator.Budget.Step();
        return Key(attribute is null ? item : SelectionFilters.Attribute(evaluator, item, attribute), isCaseSensitive);
    };

    private static ListValue Sort(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("sort", 0, "reverse", "case_sensitive", "attribute");
        var key = KeyOf(evaluator, bound.Get(2), bound.Flag(1));
        return new ListValue(Ordering.Sort(Iteration.ToList(evaluator.Budget, value), key, bound.Flag(0)));
    }

    private static ListValue SortDictionary(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("dictsort", 0, "case_sensitive", "by", "reverse");
        if (value is not DictionaryValue dictionary)
            throw value is Undefined undefined ? undefined.Error() : new ChatTemplateException("dictsort needs a dictionary");
        var byValue = bound.Text(1, "key") switch
        {
            "key" => false,
            "value" => true,
            _ => throw new ChatTemplateException("dictsort sorts by 'key' or 'value'"),
        };
        var items = Ordering.Sort(
            [.. dictionary.Items], item => Key(byValue ? item.Value : item.Key, bound.Flag(0)), bound.Flag(2));
        return new ListValue([.. items.Select(item => new TupleValue([item.Key, item.Value]))]);
    }

    private static OneTimeSequence Unique(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("unique", 0, "case_sensitive", "attribute");
        var key = KeyOf(evaluator, bound.Get(1), bound.Flag(0));
        var seen = new DictionaryValue();
        return new OneTimeSequence(Iteration.Over(value).Where(item =>
        {
            var itemKey = key(item);
            if (seen.Contains(itemKey))
                return false;
            seen.Set(itemKey, null);
            return true;
        }));
    }

    private static object? Extreme(Evaluator evaluator, object? value, Arguments arguments, bool isLargest)
    {
        var bound = arguments.Bind(isLargest ? "max" : "min", 0, "case_sensitive", "attribute");
        var key = KeyOf(evaluator, bound.Get(1), bound.Flag(0));
        object? best = new Undefined("the sequence is empty");
        foreach (var item in Iteration.Over(value))
        {
            if (best is Undefined || (isLargest ? Ordering.Compare(key(item), key(best)) > 0 : Ordering.Compare(key(item), key(best)) < 0))
                best = item;
        }
        return best;
    }

    private static object? Sum(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("sum", 0, "attribute", "start");
        var total = bound.Get(1, BigInteger.Zero);
        foreach (var item in Iteration.Over(value))
            total = Operators.Apply(
                evaluator.Budget, "+", total, bound.Get(0) is null ? item : SelectionFilters.Attribute(evaluator, item, bound.Get(0)));
        return total;
    }

    private static OneTimeSequence Batch(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("batch", 1, "linecount", "fill_with");
        var size = bound.Integer(0) is > 0 and var count ? count : throw new ChatTemplateException("batch needs a number above 0");
        if (bound.Get(1) is not null)
            evaluator.Budget.Make(size);
        return new OneTimeSequence(Iteration.Over(value).Chunk(size).Select(chunk => new ListValue(
            bound.Get(1) is { } fill ? [.. chunk, .. Enumerable.Repeat(fill, size - chunk.Length)] : chunk)));
    }

    private static OneTimeSequence Slice(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("slice", 1, "slices", "fill_with");
        var items = Iteration.ToList(evaluator.Budget, value);
        var count = bound.Integer(0) is > 0 and var given ? given : throw new ChatTemplateException("slice needs a number above 0");
        evaluator.Budget.Make(count);
        var (size, rest) = (items.Count / count, items.Count % count);
        return new OneTimeSequence(Enumerable.Range(0, count).Select(index =>
        {
            var part = items.Skip((index * size) + Math.Min(index, rest)).Take(size + (index < rest ? 1 : 0));
            return new ListValue([.. bound.Get(1) is { } fill && rest > 0 && index >= rest ? part.Append(fill) : part]);
        }));
    }

    private static ListValue Group(Evaluator evaluator, object? value, Arguments arguments)
    {
        var bound = arguments.Bind("groupby", 1, "attribute", "default", "case_sensitive");
        object? Of(object? item) =>
            SelectionFilters.Attribute(evaluator, item, bound.Get(0)) is var found && found is Undefined && bound.Has(1)
            ? bound.Get(1) : found;
        var sorted = Ordering.Sort(Iteration.ToList(evaluator.Budget, value), item => Key(Of(item), bound.Flag(2)), isDescending: false);
        var groups = new List<object?>();
        for (var start = 0; start < sorted.Count;)
        {
            var end = start + 1;
            while (end < sorted.Count && Equality.AreEqual(Key(Of(sorted[start]), bound.Flag(2)), Key(Of(sorted[end]), bound.Flag(2))))
                end++;
            groups.Add(new TupleValue([Of(sorted[start]), new ListValue(sorted[start..end])], "grouper", "list"));
            start = end;
        }
        return new ListValue(groups);
    }
}
