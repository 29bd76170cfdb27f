using MLTransfer.Images;
using MLTransfer.Torch.Networks.StyleGan2;

namespace MLTransfer.Persistence;

/// <summary>What a saved image generator consists of.</summary>
internal sealed record ImageGeneratorManifest
{
    public required ImageGeneratorColumns Columns { get; init; }

    public required double Truncation { get; init; }

    public required NoiseMode Noise { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required long Seed { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    public GenerateImagesOptions ToOptions() => new()
    {
        Truncation = Truncation, Noise = Noise, GenerationBatchSize = GenerationBatchSize, LabelColumnName = Columns.Label,
    };

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        ToOptions().Check();
        Columns.CheckInput();
        if (string.IsNullOrWhiteSpace(Columns.Output) || Columns.Input?.Trim().Length == 0)
            throw new ArgumentException("a column's name is blank");
        if (Files.Contains(null!))
            throw new ArgumentException("it has a null in a list");
    }
}
