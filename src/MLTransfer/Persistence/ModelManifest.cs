using MLTransfer.Cards;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Persistence;

/// <summary>What a saved component consists of: its settings, and the files beside them.</summary>
internal abstract record ModelManifest
{
    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <summary>What a model card tells; not in files of version 1.1 of the format, nor of components that have no card.</summary>
    public ModelCard? Card { get; init; }

    /// <summary>Checks every entry.</summary>
    /// <exception cref="ArgumentException">An entry is not usable.</exception>
    public virtual void Check()
    {
        if (Files.Contains(null!))
            throw new ArgumentException("it has a null in a list");
        Card?.Check();
        foreach (var file in Files)
        {
            // Some are written to disk under these names. Chat templates alone have a folder of their own.
            var isName = PlainName.IsFile(file.Name) || TokenizerFiles.ChatTemplateOf(file.Name) is not null;
            if (!isName || file.Length < 0)
                throw new ArgumentException($"it has a file named '{file.Name}' of {file.Length} bytes");
        }

        if (Files.GroupBy(file => file.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"it has two files named '{twice.Key}'");
    }
}
