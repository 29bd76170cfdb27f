using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Arithmetic, slices and indices.</summary>
internal static class Operators
{
    public static object? Apply(Budget budget, string operation, object? left, object? right)
    {
        if (operation == "%" && Texts.TryGet(left) is { } format)
            return PercentFormat.Apply(budget, format, right);
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Error();
        if (Numbers.Is(left) && Numbers.Is(right))
            return Numbers.Apply(operation, left, right);
        if (operation == "+" && Texts.TryGet(left) is { } first && Texts.TryGet(right) is { } second)
        {
            budget.Make((long)first.Length + second.Length);
            return (left, right) switch
            {
                (string, string) => first + second,
                (SafeText, string) => new SafeText(first + SafeText.Escape(second)),
                (string, SafeText) => new SafeText(SafeText.Escape(first) + second),
                _ => new SafeText(first + second),
            };
        }
        if (operation == "+" && (left, right) is (ListValue, ListValue) or (TupleValue, TupleValue))
        {
            var (lefts, rights) = (((SequenceValue)left!).Items, ((SequenceValue)right!).Items);
            budget.Make((long)lefts.Count + rights.Count);
            return Like(left, [.. lefts, .. rights]);
        }
        if (operation == "*" && Numbers.ToInteger(right) is { } count && Repeat(budget, left, count) is { } repeated)
            return repeated;
        if (operation == "*" && Numbers.ToInteger(left) is { } times && Repeat(budget, right, times) is { } result)
            return result;
        throw new ChatTemplateException($"'{operation}' not supported between '{TypeName.Of(left)}' and '{TypeName.Of(right)}'");
    }

    public static object? Negate(object? value) => value switch
    {
        double number => -number,
        Undefined undefined => throw undefined.Error(),
        _ => Numbers.ToInteger(value) is { } number ? -number
            : throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' has no sign"),
    };

    /// <summary>The item at an index, or nothing where the target has none there.</summary>
    public static (bool Found, object? Value) Item(Budget budget, object? target, object? index)
    {
        switch (target)
        {
            case Undefined undefined:
                throw undefined.Error();
            case DictionaryValue dictionary:
                return index is ListValue or DictionaryValue ? default : dictionary.TryGet(index, out var value) ? (true, value) : default;
            case NamespaceValue space:
                return space.Attributes.TryGet(index, out var attribute) ? (true, attribute) : default;
        }
        if (Numbers.ToInteger(index) is not { } position)
            return default;
        if (target is SequenceValue and not DictionaryView)
        {
            var items = ((SequenceValue)target).Items;
            position += position.Sign < 0 ? items.Count : 0;
            return position.Sign >= 0 && position < items.Count ? (true, items[(int)position]) : default;
        }
        if (Texts.TryGet(target) is { } text)
        {
            budget.Make(text.Length);
            var characters = Texts.Split(text);
            position += position.Sign < 0 ? characters.Count : 0;
            return position.Sign >= 0 && position < characters.Count ? (true, characters[(int)position]) : default;
        }
        return default;
    }

    public static object? Slice(Budget budget, object? target, object? start, object? stop, object? step)
    {
        if (target is Undefined undefined)
            throw undefined.Error();
        var stride = Bound(step) ?? 1;
        if (stride == 0)
            throw new ChatTemplateException("the step of a slice cannot be zero");
        if (Texts.TryGet(target) is { } text)
        {
            budget.Make(text.Length);
            var characters = Texts.Split(text);
            return string.Concat(Indices(characters.Count, Bound(start), Bound(stop), stride).Select(index => characters[index]));
        }
        if (target is SequenceValue sequence and not DictionaryView)
        {
            budget.Make(sequence.Items.Count);
            return Like(
                target, [.. Indices(sequence.Items.Count, Bound(start), Bound(stop), stride).Select(index => sequence.Items[index])]);
        }
        return new Undefined($"a value of type '{TypeName.Of(target)}' cannot be sliced");
    }

    private static object Like(object? target, List<object?> items) => target is TupleValue ? new TupleValue(items) : new ListValue(items);

    private static long? Bound(object? value) => value is null ? null
        : Numbers.ToInteger(value) is { } number ? (long)BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, number))
        : throw new ChatTemplateException($"the bounds of a slice are integers, not '{TypeName.Of(value)}'");

    private static IEnumerable<int> Indices(int count, long? start, long? stop, long step)
    {
        long Clip(long value) => Math.Clamp(value < 0 ? value + count : value, step > 0 ? 0 : -1, step > 0 ? count : count - 1);
        var end = stop is { } given ? Clip(given) : step > 0 ? count : -1;
        for (var index = start is { } first ? Clip(first) : step > 0 ? 0 : count - 1; step > 0 ? index < end : index > end; index += step)
            yield return (int)index;
    }

    private static object? Repeat(Budget budget, object? value, BigInteger count)
    {
        var length = value switch
        {
            ListValue or TupleValue => ((SequenceValue)value).Items.Count,
            _ => Texts.TryGet(value)?.Length ?? -1,
        };
        if (length < 0)
            return null;
        var times = (int)BigInteger.Max(0, BigInteger.Min(int.MaxValue, count));
        budget.Make((long)length * times);
        times = length == 0 ? 0 : times;
        return value is SequenceValue sequence
            ? Like(value, [.. Enumerable.Repeat(sequence.Items, times).SelectMany(items => items)])
            : string.Concat(Enumerable.Repeat(Texts.TryGet(value)!, times));
    }
}
