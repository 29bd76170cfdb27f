namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>What filters such as <c>map</c> give: computed while it is read, and empty the second time.</summary>
internal sealed class OneTimeSequence(IEnumerable<object?> items)
{
    private IEnumerable<object?>? _items = items;

    public IEnumerable<object?> Take()
    {
        var items = _items ?? [];
        _items = null;
        return items;
    }
}
