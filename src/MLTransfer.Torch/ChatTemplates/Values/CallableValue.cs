namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>A function or method that templates can call. <paramref name="attributes"/> are those of macros.</summary>
internal sealed class CallableValue(
    string kind, string name, Func<Arguments, object?> invoke, IReadOnlyDictionary<string, object?>? attributes = null)
{
    public string Kind => kind;

    public string Name => name;

    public IReadOnlyDictionary<string, object?>? Attributes => attributes;

    public object? Invoke(Arguments arguments) => invoke(arguments);
}

/// <summary>A thing with attributes: a loop, or a cycler. It can be called if <paramref name="invoke"/> is there.</summary>
internal sealed class ObjectValue(string kind, Func<string, (bool Found, object? Value)> attribute, Func<Arguments, object?>? invoke = null)
{
    public string Kind => kind;

    public Func<Arguments, object?>? Call => invoke;

    public bool TryGet(string name, out object? value)
    {
        (var found, value) = attribute(name);
        return found;
    }
}
