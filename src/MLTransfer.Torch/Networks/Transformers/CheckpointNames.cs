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
            !used.Contains(s.Value) && !IsIgnored(s.Key) && !IsIgnored(_family.BasePrefix + s.Key))
            .Select(s => s.Value);

        bool IsIgnored(string name) =>
            _family.Ignored.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
    }

    /// <summary>Refuses a checkpoint that has more than the network takes: what is left over would change what it computes.</summary>
    /// <param name="parameters">The network's.</param>
    /// <param name="unused">Beginnings of names that a network so described leaves alone.</param>
    /// <param name="origin">What the message calls the checkpoint.</param>
    /// <exception cref="InvalidDataException">Something is left over; the message names it.</exception>
    public void RefuseLeftover(IEnumerable<string> parameters, IReadOnlyList<string> unused, string origin)
    {
        var leftover = Leftover(parameters).Where(name => !unused.Any(part => name.StartsWith(part, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal).ToList();
        if (leftover.Count == 0)
            return;
        throw new InvalidDataException(
            $"{origin} has {leftover.Count} tensors that the network of its config.json does not take: "
            + string.Join(", ", leftover.Take(5).Select(name => $"'{name}'")) + (leftover.Count > 5 ? " and so on" : "")
            + $". Correct config.json (model_type '{_family.ModelType}'), or take out of the checkpoint what is of no use.");
    }
}
