using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Persistence;

/// <summary>What a saved text generator consists of.</summary>
internal sealed record TextGeneratorManifest
{
    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    /// <summary>Not in files of the first version, which generate in float32.</summary>
    public DecodingPrecision DecodingPrecision { get; init; }

    public required WeightType WeightType { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        Generation.Check();
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(WeightType), WeightType);
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }
}
