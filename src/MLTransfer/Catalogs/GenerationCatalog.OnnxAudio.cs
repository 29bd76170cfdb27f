using MLTransfer.Audio.Onnx;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>
    /// Loads an ONNX export of a MusicGen or a VITS, to make sounds with ONNX Runtime: libtorch is neither needed nor loaded.
    /// </summary>
    /// <param name="folder">Has the graphs, <c>config.json</c>, which tells which network it is, and the tokenizer's files.</param>
    /// <param name="outputColumnName">The column for sounds.</param>
    /// <param name="inputColumnName">The column of captions or of texts to speak; of a MusicGen also of sounds that it goes on from, or null
    /// for music of nothing.</param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <returns>A transformer, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    /// <exception cref="IOException">There is no such folder, or it is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or a graph is of another kind.</exception>
    /// <exception cref="NotSupportedException">The export is of another network, or the kind of tokenizer is not supported.</exception>
    public OnnxAudioGeneratorTransformer LoadOnnxAudio(
        string folder, string outputColumnName = "Sound", string? inputColumnName = "Text", OnnxAudioGeneratorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        options ??= new();
        options.Check();
        using var channel = _host.Start("Loading an ONNX audio generator");
        var fixedOptions = new OnnxAudioGeneratorOptions
        {
            ModelFile = options.ModelFile, ThreadCount = options.ThreadCount, Music = options.Music, Speech = options.Speech,
            Seed = options.Seed ?? Seeds.Of(_host), GenerationBatchSize = options.GenerationBatchSize,
        };
        var model = OnnxAudioModel.Load(folder, options.ToRuntimeOptions());
        return Ownership.Pass(
            model, () => new OnnxAudioGeneratorTransformer(model, null, outputColumnName, inputColumnName, fixedOptions));
    }
}
