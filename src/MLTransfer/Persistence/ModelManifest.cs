using MLTransfer.Cards;

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
    }
}
