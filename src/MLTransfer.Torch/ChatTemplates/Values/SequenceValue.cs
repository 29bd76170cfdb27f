namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>A sequence that never changes. Lists, tuples and ranges of Python are of this kind, as the sandbox refuses to change
/// them.</summary>
internal abstract class SequenceValue(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items => items;
}

internal sealed class ListValue(IReadOnlyList<object?> items) : SequenceValue(items);

/// <summary>A tuple, whose items may have names.</summary>
internal sealed class TupleValue(IReadOnlyList<object?> items, params string[] names) : SequenceValue(items)
{
    public IReadOnlyList<string> Names => names;
}

internal sealed class RangeValue(IReadOnlyList<object?> items, string description) : SequenceValue(items)
{
    public string Description => description;
}

/// <summary>The keys, values or items of a dictionary.</summary>
internal sealed class DictionaryView(string kind, IReadOnlyList<object?> items) : SequenceValue(items)
{
    public string Kind => kind;
}
