using MLTransfer.Persistence;
using MLTransfer.Torch.Generation.Images;

namespace MLTransfer.Images.Onnx;

/// <summary>What a saved ONNX image generator consists of. All its files lie in one folder.</summary>
internal sealed record OnnxImageGeneratorManifest : ModelManifest
{
    public required TextToImageColumns Columns { get; init; }

    public required int ThreadCount { get; init; }

    /// <summary>How pictures are drawn; null for defaults.</summary>
    public ImageGenerationOptions? Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required long Seed { get; init; }

    public OnnxImageGeneratorOptions ToOptions() => new()
    {
        ThreadCount = ThreadCount, TextToImage = Generation, CaptionColumnName = Columns.Caption, SeedColumnName = Columns.Seed,
        Seed = Seed, GenerationBatchSize = GenerationBatchSize,
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
