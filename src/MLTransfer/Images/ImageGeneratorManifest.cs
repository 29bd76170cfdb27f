using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.StyleGan2;

namespace MLTransfer.Images;

/// <summary>What a saved image generator consists of.</summary>
internal sealed record ImageGeneratorManifest : ModelManifest
{
    public required ImageGeneratorColumns Columns { get; init; }

    public required double Truncation { get; init; }

    public required NoiseMode Noise { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required long Seed { get; init; }

    public GenerateImagesOptions ToOptions() => new()
    {
        Truncation = Truncation, Noise = Noise, GenerationBatchSize = GenerationBatchSize, LabelColumnName = Columns.Label,
        LatentSpace = Columns.Space,
    };

    public override void Check()
    {
        base.Check();
        ToOptions().Check();
        Columns.CheckInput();
        if (string.IsNullOrWhiteSpace(Columns.Output) || Columns.Input?.Trim().Length == 0)
            throw new ArgumentException("a column's name is blank");
    }
}
