using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Generation;

/// <summary>Makes music with an ONNX export of a MusicGen that ONNX Runtime runs; libtorch is neither needed nor loaded.</summary>
/// <remarks>
/// The files are those of <see cref="Writing.MusicGenExporter"/>, which are Optimum's: <c>text_encoder.onnx</c>,
/// <c>decoder_model_merged.onnx</c> and <c>encodec_decode.onnx</c>, and <c>encodec_encode.onnx</c> where music goes on from sounds. Results
/// are those of <see cref="MusicGenerator"/> with the exported model but for rounding. Several threads may use one object at once.
/// </remarks>
public sealed class OnnxMusicGenerator : IDisposable
{
    private readonly MusicGenerator _generator;

    private OnnxMusicGenerator(OnnxMusicDecoder decoder, TextTokenizer? tokenizer) =>
        (Decoder, Tokenizer, _generator) = (decoder, tokenizer, new MusicGenerator(decoder, tokenizer));

    /// <summary>The tokenizer of captions; null where the folder has none.</summary>
    public TextTokenizer? Tokenizer { get; }

    /// <summary>Samples a second of the sounds.</summary>
    public int SampleRate => Decoder.SampleRate;

    /// <summary>Channels of the sounds: 1 or 2.</summary>
    public int Channels => Decoder.Channels;

    internal OnnxMusicDecoder Decoder { get; }

    /// <summary>Loads an export.</summary>
    /// <param name="folder">Has the graphs, <c>config.json</c> and, where captions are given, the tokenizer's files.</param>
    /// <param name="options">How graphs are run; null for the defaults. A <see cref="OnnxRuntimeOptions.ModelFile"/> names the decoder,
    /// such as <c>onnx/decoder_model_merged_quantized.onnx</c>; the other files lie beside it.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or files do not fit each other.</exception>
    public static OnnxMusicGenerator Load(string folder, OnnxRuntimeOptions? options = null)
    {
        var tokenizer = OnnxExportFiles.LoadTokenizer(folder, options ??= new()); // first: it is small, and fails early
        return new OnnxMusicGenerator(new OnnxMusicDecoder(folder, options), tokenizer);
    }

    /// <inheritdoc cref="MusicGenerator.Generate"/>
    public IReadOnlyList<GeneratedMusic> Generate(
        IReadOnlyList<MusicPrompt> prompts, MusicGenerationOptions? options = null, IProgress<MusicGenerationProgress>? progress = null,
        CancellationToken cancellationToken = default) => _generator.Generate(prompts, options, progress, cancellationToken);

    /// <summary>Frees the graphs, as soon as no call uses them.</summary>
    public void Dispose() => Decoder.Dispose();
}
