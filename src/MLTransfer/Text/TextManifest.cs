using MLTransfer.Persistence;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>What a saved text generator consists of, whatever runs it.</summary>
internal abstract record TextManifest : ModelManifest
{
    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public override void Check()
    {
        base.Check();
        TextColumnsOptions.CheckGeneration(Generation, GenerationBatchSize);
        Columns.Chat?.Check();
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }
}
