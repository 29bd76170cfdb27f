using System.Globalization;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Writes a model file (zip), which <c>mlContext.Model.Load</c> reads; an old file stays until the new one is whole.</summary>
    /// <remarks>
    /// The content is that of <c>mlContext.Model.Save</c>, which empties an old file first: where it fails, or the process is killed,
    /// neither is left. This writes to a file beside it, <c>NAME.tmp-*</c>, and renames that; what a killed process has left of it is
    /// deleted by the next call for the same name.
    /// </remarks>
    /// <param name="model">Any transformer, or a chain of transformers.</param>
    /// <param name="inputSchema">The schema of the model's input, which <c>mlContext.Model.Load</c> gives back; null for none.</param>
    /// <param name="path">The file, which is replaced where there is one. Its folder is made where it is missing.</param>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="ObjectDisposedException">A transformer is disposed; an old file stays as it is.</exception>
    public void Save(ITransformer model, DataViewSchema? inputSchema, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
            throw new IOException($"'{path}' is a folder; expected the name of a file to write.");
        using var channel = _host.Start(nameof(Save));
        channel.Info($"Saving the model to '{path}' ...");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, stream => new ModelOperationsCatalog(_host).Save(model, inputSchema, stream));
        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Saved the model: {new FileInfo(path).Length / 1e6:0.0} MB."));
    }
}
