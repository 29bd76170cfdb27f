using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Python's <c>iter</c>, <c>len</c> and <c>in</c>.</summary>
internal static class Iteration
{
    public static IEnumerable<object?> Over(object? value) => value switch
    {
        SequenceValue sequence => sequence.Items,
        DictionaryValue dictionary => dictionary.Keys,
        OneTimeSequence once => once.Take(),
        Undefined => [],
        _ => Texts.TryGet(value) is { } text ? Texts.Split(text)
            : throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' is not iterable"),
    };

    public static List<object?> ToList(Budget budget, object? value)
    {
        var items = new List<object?>();
        foreach (var item in Over(value))
        {
            budget.Step();
            items.Add(item);
        }
        return items;
    }

    public static int Length(object? value) => value switch
    {
        SequenceValue sequence => sequence.Items.Count,
        DictionaryValue dictionary => dictionary.Count,
        Undefined => 0,
        _ => Texts.TryGet(value) is { } text ? Texts.Length(text)
            : throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' has no length"),
    };

    public static bool Contains(Budget budget, object? container, object? item)
    {
        if (container is DictionaryValue dictionary)
            return dictionary.Contains(item);
        if (Texts.TryGet(container) is { } text)
        {
            budget.Make(text.Length);
            return text.Contains(
                Texts.TryGet(item)
                    ?? throw new ChatTemplateException($"only a text can be in a text, not a value of type '{TypeName.Of(item)}'"),
                StringComparison.Ordinal);
        }
        foreach (var candidate in Over(container))
        {
            budget.Step();
            if (Equality.AreEqual(candidate, item))
                return true;
        }
        return false;
    }
}
