using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Several checkpoints as one: the names of each get a prefix.</summary>
internal sealed class JoinedCheckpoint : Checkpoint
{
    private readonly (string Prefix, Checkpoint Part)[] _parts;

    /// <param name="location">What error messages call it.</param>
    /// <param name="parts">The prefixes and checkpoints, which are disposed with this one.</param>
    public JoinedCheckpoint(string location, params (string Prefix, Checkpoint Part)[] parts)
        : base(location)
    {
        _parts = parts;
        Tensors = parts.SelectMany(p => p.Part.Tensors.Select(t => KeyValuePair.Create(p.Prefix + t.Key, t.Value))).ToDictionary();
    }

    /// <summary>Opens files of weights as one checkpoint.</summary>
    public static JoinedCheckpoint Open(string location, params ReadOnlySpan<(string Prefix, string Path)> files) =>
        Open(location, OpenFile, files);

    /// <summary>Opens files as one checkpoint.</summary>
    /// <param name="location">What error messages call it.</param>
    /// <param name="open">Opens one of them.</param>
    /// <param name="files">Each with the prefix that its names get.</param>
    public static JoinedCheckpoint Open(
        string location, Func<string, Checkpoint> open, params ReadOnlySpan<(string Prefix, string Path)> files)
    {
        var parts = new List<(string Prefix, Checkpoint Part)>();
        try
        {
            foreach (var (prefix, path) in files)
                parts.Add((prefix, open(path)));
            return new JoinedCheckpoint(location, [.. parts]);
        }
        catch
        {
            parts.ForEach(part => part.Part.Dispose());
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public override Tensor Read(string name) => Find(name) is (var part, var inside) ? part.Read(inside) : throw Missing(name);

    internal override void ReleaseMemory(string name)
    {
        if (Find(name) is (var part, var inside))
            part.ReleaseMemory(inside);
    }

    private (Checkpoint Part, string Name)? Find(string name)
    {
        foreach (var (prefix, part) in _parts)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && part.Tensors.ContainsKey(name[prefix.Length..]))
                return (part, name[prefix.Length..]);
        }

        return null;
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var (_, part) in _parts)
            part.Dispose();
    }
}
