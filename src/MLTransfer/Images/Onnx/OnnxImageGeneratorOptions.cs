using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation.Images;

namespace MLTransfer;

/// <summary>How a transformer makes pictures of captions with an ONNX export.</summary>
public sealed class OnnxImageGeneratorOptions
{
    /// <summary>The threads that compute one pass; 0 for one a physical core, as ONNX Runtime chooses. At most 1024.</summary>
    public int ThreadCount;

    /// <summary>How codes are drawn; null for the defaults of the class. Its seed and its batch size are those below.</summary>
    public ImageGenerationOptions? TextToImage;

    /// <summary>The text column of captions beside a column of images that are completed or varied; null for none but the input
    /// column.</summary>
    public string? CaptionColumnName;

    /// <summary>The column of whole numbers that decide what is drawn for each row; null to have <see cref="Seed"/> and the id of the row
    /// decide.</summary>
    public string? SeedColumnName;

    /// <summary>Decides with the id of a row what is drawn for it; null for the seed of the <c>MLContext</c>.</summary>
    public long? Seed;

    /// <summary>Pictures that are made together, up to 4096. It changes speed and memory.</summary>
    public int GenerationBatchSize = 16;

    internal OnnxRuntimeOptions ToRuntimeOptions() => new() { ThreadCount = ThreadCount };

    /// <summary>The options that a transformer of the engine has too.</summary>
    internal GenerateImagesOptions ToGenerateOptions() => new()
    {
        TextToImage = TextToImage, CaptionColumnName = CaptionColumnName, SeedColumnName = SeedColumnName, Seed = Seed,
        GenerationBatchSize = GenerationBatchSize,
    };

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        ToRuntimeOptions().Check();
        ToGenerateOptions().Check();
        GenerateImagesOptions.CheckWritten(GenerationBatchSize, "text-to-image network");
    }
}
