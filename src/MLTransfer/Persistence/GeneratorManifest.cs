using Microsoft.ML;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Persistence;

/// <summary>What a saved text generator consists of.</summary>
internal abstract record GeneratorManifest
{
    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    public void Write(ModelSaveContext context) => StoredManifest.Write(context, this);

    /// <summary>One of the files.</summary>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public StoredFile Find(string name) =>
        Files.FirstOrDefault(file => file.Name == name)
            ?? throw new InvalidDataException($"The model file is damaged: its text generator has no '{name}'.");

    /// <summary>Checks every entry.</summary>
    /// <exception cref="ArgumentException">An entry is outside its range.</exception>
    public virtual void Check()
    {
        Generation.Check();
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }

    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    protected static T Read<T>(ModelLoadContext context)
        where T : GeneratorManifest => StoredManifest.Read<T>(context, "text generator", manifest => manifest.Check());
}
