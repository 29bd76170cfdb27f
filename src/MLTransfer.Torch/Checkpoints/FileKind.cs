using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// A kind of file that is read into memory as a whole, and how long one may be. The limits are far above what files have: they keep a file
/// from elsewhere from taking all memory.
/// </summary>
/// <param name="Name">What error messages call it.</param>
/// <param name="MaximumLength">The most bytes of one.</param>
internal sealed record FileKind(string Name, int MaximumLength)
{
    /// <summary>Sizes and settings: <c>config.json</c>, <c>adapter_config.json</c>, <c>trainer_state.json</c>, a manifest.</summary>
    public static FileKind Configuration { get; } = new("a configuration", 16 << 20);

    /// <summary>Vocabularies and merges. The largest published ones, of 256,000 tokens, are below 40 MB.</summary>
    public static FileKind Tokenizer { get; } = new("a tokenizer's file", 256 << 20);

    /// <summary>The list of the shards that tensors are in: one of a million tensors is shorter.</summary>
    public static FileKind ShardIndex { get; } = new("an index of shards", 100_000_000);

    /// <summary>A token of the hub, or the commit that a name stands for.</summary>
    public static FileKind Line { get; } = new("a file of one line", 1 << 16);

    /// <summary>An ONNX graph with its weights, or a TorchScript program, which cannot be longer than an array.</summary>
    public static FileKind Network { get; } = new("a network", Array.MaxLength);

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is empty, a device, a pipe, or longer than files of its kind.</exception>
    public byte[] Read(string path)
    {
        using var stream = FileOnDisk.OpenRead(path);
        Check(stream.Length, path);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <exception cref="InvalidDataException">It is more than files of the kind have.</exception>
    public void Check(long length, string origin)
    {
        if (length < 0 || length > MaximumLength)
            throw new InvalidDataException($"{origin} has {length} bytes; {Name} has at most {MaximumLength}.");
    }
}
