using MLTransfer.Images;
using MLTransfer.Logging;
using MLTransfer.Onnx.Generation;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>
    /// Loads an ONNX export of a DALL-E mini or a DALL-E, to make pictures of captions with ONNX Runtime: libtorch is neither needed nor
    /// loaded.
    /// </summary>
    /// <param name="folder">Has the graphs, <c>config.json</c>, which tells which network it is, and the tokenizer's files.</param>
    /// <param name="outputColumnName">The column for pictures.</param>
    /// <param name="inputColumnName">The column of captions, or of images that are completed or varied; null where
    /// <see cref="OnnxImageGeneratorOptions.CaptionColumnName"/> has captions.</param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <returns>A transformer, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    /// <exception cref="IOException">There is no such folder, or it is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or a graph is of another kind.</exception>
    /// <exception cref="NotSupportedException">The export is of another network, or the kind of tokenizer is not supported.</exception>
    public OnnxImageGeneratorTransformer LoadOnnxImages(
        string folder, string outputColumnName = "Image", string? inputColumnName = "Caption", OnnxImageGeneratorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        options ??= new();
        options.Check();
        var columns = TextToImageColumns.Create(outputColumnName, inputColumnName, options.ToGenerateOptions());
        columns.CheckInput();
        using var channel = _host.Start("Loading an ONNX image generator");
        GenerationLog.Warn(channel, options.TextToImage);
        var fixedOptions = new OnnxImageGeneratorOptions
        {
            ThreadCount = options.ThreadCount, TextToImage = options.TextToImage, CaptionColumnName = options.CaptionColumnName,
            SeedColumnName = options.SeedColumnName, Seed = options.Seed ?? Seeds.Of(_host),
            GenerationBatchSize = options.GenerationBatchSize,
        };
        var generator = OnnxTextToImageGenerator.Load(folder, options.ToRuntimeOptions());
        return Ownership.Pass(generator, () => new OnnxImageGeneratorTransformer(generator, null, columns, fixedOptions));
    }
}
