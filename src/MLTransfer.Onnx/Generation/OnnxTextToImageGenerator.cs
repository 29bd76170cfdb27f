using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Generation;

/// <summary>
/// Makes pictures of captions with an ONNX export of a DALL-E mini or a DALL-E that ONNX Runtime runs; libtorch is neither needed nor
/// loaded.
/// </summary>
/// <remarks>
/// The files are those of <see cref="Writing.TextToImageExporter"/>. Pictures that are completed or varied need <c>image_encode.onnx</c>.
/// Results are those of <see cref="TextToImageGenerator"/> with the exported model but for rounding. Several threads may use one object at
/// once.
/// </remarks>
public sealed class OnnxTextToImageGenerator : IDisposable
{
    private readonly TextToImageGenerator _generator;

    private OnnxTextToImageGenerator(OnnxTextToImageDecoder decoder, TextTokenizer? tokenizer) =>
        (Decoder, Tokenizer, _generator) = (decoder, tokenizer, new TextToImageGenerator(decoder, tokenizer));

    /// <summary>The tokenizer of captions; null where the folder has none.</summary>
    public TextTokenizer? Tokenizer { get; }

    /// <summary>Pixels along the side of the pictures that are made, and that prompts have.</summary>
    public int PictureSize => Decoder.PictureSize;

    /// <summary>Codes along a picture's side.</summary>
    public int CodesPerSide => Decoder.CodesPerSide;

    /// <summary>Whether prompts may have pictures.</summary>
    public bool CanEncode => Decoder.CanEncode;

    internal OnnxTextToImageDecoder Decoder { get; }

    /// <summary>Loads an export.</summary>
    /// <param name="folder">Has the graphs, <c>config.json</c> and, where captions are given, the tokenizer's files.</param>
    /// <param name="options">How graphs are run; null for the defaults. A <see cref="OnnxRuntimeOptions.ModelFile"/> names the decoder of
    /// codes; the other files lie beside it.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The export is of another network.</exception>
    public static OnnxTextToImageGenerator Load(string folder, OnnxRuntimeOptions? options = null)
    {
        var tokenizer = OnnxExportFiles.LoadTokenizer(folder, options ??= new()); // first: it is small, and fails early
        return new OnnxTextToImageGenerator(OnnxTextToImageDecoder.Load(folder, options), tokenizer);
    }

    /// <inheritdoc cref="TextToImageGenerator.Generate"/>
    public IReadOnlyList<GeneratedImage> Generate(
        IReadOnlyList<ImagePrompt> prompts, ImageGenerationOptions? options = null, IProgress<ImageGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default) => _generator.Generate(prompts, options, progress, cancellationToken);

    /// <summary>Frees the graphs, as soon as no call uses them.</summary>
    public void Dispose() => Decoder.Dispose();
}
