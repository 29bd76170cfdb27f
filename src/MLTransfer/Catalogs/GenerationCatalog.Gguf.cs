using MLTransfer.Persistence;
using MLTransfer.Torch.Exports;
using Microsoft.ML;

namespace MLTransfer;

/// <content>Files for llama.cpp.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>Writes a text generator as a GGUF file, which llama.cpp, Ollama and LM Studio run: see
    /// <see cref="GgufExporter"/>.</summary>
    /// <param name="model">A transformer with a model, or a chain of transformers with one; it stays as it is.</param>
    /// <param name="path">The file, such as <c>model.gguf</c>; its folder must exist. A file that is there is replaced.</param>
    /// <param name="options">Null for float32 with adapters merged.</param>
    /// <param name="cancellationToken">Stops between tensors; no half file is left.</param>
    /// <returns>The files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">
    /// The model is no text generator, or the options do not go together or with the model.
    /// </exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="NotSupportedException">
    /// llama.cpp does not know the family, or something of the model or its tokenizer; the message names it.
    /// </exception>
    public IReadOnlyList<GgufExportedFile> ExportToGguf(
        ITransformer model, string path, GgufExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var exported = TransformerChain.Find<IGgufExport>(model, NoTextGenerator).Found;
        using var channel = _host.Start(nameof(ExportToGguf));
        return exported.ExportToGguf(path, options, channel, cancellationToken);
    }

    /// <summary>Writes a text generation model as a GGUF file.</summary>
    /// <param name="model">The model; it stays as it is.</param>
    /// <param name="path">The file, such as <c>model.gguf</c>; its folder must exist. A file that is there is replaced.</param>
    /// <param name="options">Null for float32 with adapters merged.</param>
    /// <param name="cancellationToken">Stops between tensors; no half file is left.</param>
    /// <inheritdoc cref="ExportToGguf(ITransformer, string, GgufExportOptions?, CancellationToken)" path="/returns"/>
    /// <inheritdoc cref="ExportToGguf(ITransformer, string, GgufExportOptions?, CancellationToken)" path="/exception"/>
    public IReadOnlyList<GgufExportedFile> ExportToGguf(
        TextGenerationModel model, string path, GgufExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var channel = _host.Start(nameof(ExportToGguf));
        return model.ExportToGguf(path, options, channel, cancellationToken);
    }
}
