using System.IO.Enumeration;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Finds the parameters of a family in a checkpoint, whose names may be older ones or those of the bare base model.</summary>
internal sealed class CheckpointNames
{
    private readonly Family _family;
    private readonly Dictionary<string, string> _stored = []; // by today's name

    public CheckpointNames(IEnumerable<string> stored, Family family)
    {
        _family = family;
        foreach (var name in stored)
            _stored[family.Renamed.Aggregate(name, (n, rename) => n.Replace(rename.Old, rename.New, StringComparison.Ordinal))] = name;
    }

    /// <summary>The tensors by today's names.</summary>
    public IReadOnlyCollection<string> Known => _stored.Keys;

    /// <summary>What the checkpoint calls a parameter; null where it has none of that name.</summary>
    public string? Find(string parameter)
    {
        if (_stored.TryGetValue(parameter, out var stored))
            return stored;
        return parameter.StartsWith(_family.BasePrefix, StringComparison.Ordinal)
            ? _stored.GetValueOrDefault(parameter[_family.BasePrefix.Length..]) : null;
    }

    /// <summary>The tensors that no parameter takes and that are not known to be of no use.</summary>
    public IEnumerable<string> Leftover(IEnumerable<string> parameters)
    {
        var used = parameters.Select(Find).ToHashSet();
        return _stored.Where(s =>
            !used.Contains(s.Value)
                && !_family.Ignored.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, s.Key, ignoreCase: false)))
            .Select(s => s.Value);
    }
}
