using MLTransfer.Persistence;
using MLTransfer.Text;

namespace MLTransfer.Audio.Generators;

/// <summary>What a saved audio generator consists of.</summary>
internal sealed record AudioGeneratorManifest : ModelManifest
{
    public required AudioGeneratorColumns Columns { get; init; }

    public required AudioGeneration Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required WeightType WeightType { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public GenerateAudioOptions ToOptions() => new()
    {
        Music = Generation.Music is { } music ? music with { Seed = null } : null,
        Speech = Generation.Speech is { } speech ? speech with { Seed = null } : null,
        ConvertSounds = Generation.ConvertSounds,
        GenerationBatchSize = GenerationBatchSize,
        WeightType = WeightType,
        CaptionColumnName = Columns.Caption,
        SpeakerColumnName = Columns.Speaker,
        PhonemeColumnName = Columns.Phonemes,
        SeedColumnName = Columns.Seed,
    };

    public override void Check()
    {
        base.Check();
        ToOptions().Check();
        BaseModel?.Check();
        if (string.IsNullOrWhiteSpace(Columns.Output) || Columns.Input?.Trim().Length == 0)
            throw new ArgumentException("a column's name is blank");
    }
}
