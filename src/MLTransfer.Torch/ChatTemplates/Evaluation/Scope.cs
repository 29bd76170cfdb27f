namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Variables: a block's own, then those around it.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, object?> _variables = [];

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out value))
                return true;
        }
        value = null;
        return false;
    }

    public void Set(string name, object? value) => _variables[name] = value;

    public Scope Root => parent is { Parent: not null } ? parent.Root : this;

    private Scope? Parent => parent;
}
