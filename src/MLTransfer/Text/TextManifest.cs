using System.Text.Json.Serialization;
using MLTransfer.Persistence;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>What a saved text generator consists of, whatever runs it.</summary>
internal abstract record TextManifest : ModelManifest
{
    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    /// <summary>
    /// The tokens that end a text by the model's <c>generation_config.json</c> and not by its other files; null where there are none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PublishedEnds { get; init; }

    public override void Check()
    {
        base.Check();
        TextColumnsOptions.CheckGeneration(Generation, GenerationBatchSize);
        Columns.Chat?.Check();
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }
}
