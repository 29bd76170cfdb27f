using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Persistence;

/// <summary>What a saved text generator consists of, whatever runs it.</summary>
internal abstract record GeneratorManifest
{
    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <summary>One of the files.</summary>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public StoredFile Find(string name) => StoredFile.Find(Files, name, "text generator");

    /// <summary>Checks every entry.</summary>
    /// <exception cref="ArgumentException">An entry is outside its range.</exception>
    public virtual void Check()
    {
        Generation.Check();
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }
}
