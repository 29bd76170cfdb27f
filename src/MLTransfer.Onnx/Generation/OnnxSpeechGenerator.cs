using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Generation;

/// <summary>Speaks texts with an ONNX export of a VITS that ONNX Runtime runs; libtorch is neither needed nor loaded.</summary>
/// <remarks>
/// The file is that of <see cref="Writing.SpeechExporter"/>, as Optimum writes it. Without noise sounds are those of
/// <see cref="SpeechGenerator"/> but for rounding; noise is drawn from the seed as there, but other numbers. Speaking rate and noise are part
/// of the file. Several threads may use one object at once.
/// </remarks>
public sealed class OnnxSpeechGenerator : IDisposable
{
    private readonly SpeechGenerator _generator;

    private OnnxSpeechGenerator(OnnxExportFiles files, OnnxSpeechDecoder decoder, SpeechTokenizer tokenizer) =>
        (Files, Decoder, Tokenizer, _generator) = (files, decoder, tokenizer, new SpeechGenerator(decoder, tokenizer));

    /// <summary>The tokenizer.</summary>
    public SpeechTokenizer Tokenizer { get; }

    /// <summary>Samples a second of the sounds.</summary>
    public int SampleRate => Decoder.SampleRate;

    /// <summary>The number of voices.</summary>
    public int SpeakerCount => Decoder.SpeakerCount;

    internal OnnxExportFiles Files { get; }

    internal OnnxSpeechDecoder Decoder { get; }

    /// <summary>Loads an export.</summary>
    /// <param name="folder">Has the graph, <c>config.json</c> and the tokenizer's files.</param>
    /// <param name="options">Which graph is run, and how; null for the defaults.</param>
    /// <param name="phonemize">As in <see cref="SpeechTokenizer.Load"/>.</param>
    /// <param name="romanize">As in <see cref="SpeechTokenizer.Load"/>.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed or of another kind, or files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The kind of tokenizer is not supported.</exception>
    public static OnnxSpeechGenerator Load(
        string folder, OnnxRuntimeOptions? options = null, Func<string, string>? phonemize = null, Func<string, string>? romanize = null)
    {
        options ??= new OnnxRuntimeOptions();
        var files = OnnxExportFiles.Find(folder, options);
        var tokenizer = SpeechTokenizer.Load(files.Folder, phonemize, romanize); // first: it is small, and fails early
        var decoder = new OnnxSpeechDecoder(files, options);
        try
        {
            return new OnnxSpeechGenerator(files, decoder, tokenizer);
        }
        catch (ArgumentException exception)
        {
            decoder.Dispose();
            throw new InvalidDataException($"{files.Folder}: {exception.Message}", exception);
        }
    }

    /// <inheritdoc cref="SpeechGenerator.Generate(IReadOnlyList{SpeechRequest}, SpeechOptions?, CancellationToken)"/>
    public IReadOnlyList<Waveform> Generate(
        IReadOnlyList<SpeechRequest> requests, SpeechOptions? options = null, CancellationToken cancellationToken = default) =>
        _generator.Generate(requests, options, cancellationToken);

    /// <summary>Frees the graph, as soon as no call uses it.</summary>
    public void Dispose() => Decoder.Dispose();
}
