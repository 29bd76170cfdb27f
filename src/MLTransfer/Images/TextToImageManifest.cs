using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Generation.Images;

namespace MLTransfer.Images;

/// <summary>What a saved network that writes codes of pictures consists of.</summary>
internal sealed record TextToImageManifest : ModelManifest
{
    public required TextToImageColumns Columns { get; init; }

    /// <summary>How pictures are drawn; null for defaults.</summary>
    public ImageGenerationOptions? Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required long Seed { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public GenerateImagesOptions ToOptions() => new()
    {
        TextToImage = Generation, GenerationBatchSize = GenerationBatchSize, CaptionColumnName = Columns.Caption,
        SeedColumnName = Columns.Seed,
    };

    public override void Check()
    {
        base.Check();
        ToOptions().Check();
        BaseModel?.Check();
        Columns.CheckInput();
        if (string.IsNullOrWhiteSpace(Columns.Output) || Columns.Input?.Trim().Length == 0)
            throw new ArgumentException("a column's name is blank");
    }
}
