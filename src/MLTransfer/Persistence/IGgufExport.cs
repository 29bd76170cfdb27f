using MLTransfer.Torch.Exports;
using Microsoft.ML.Runtime;

namespace MLTransfer.Persistence;

/// <summary>A transformer whose model can be written as GGUF.</summary>
internal interface IGgufExport
{
    /// <summary>Writes the model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="channel">Told of each file.</param>
    /// <param name="cancellationToken">Stops between tensors.</param>
    /// <returns>The files, in the order of writing.</returns>
    IReadOnlyList<GgufExportedFile> ExportToGguf(
        string path, GgufExportOptions? options, IChannel channel, CancellationToken cancellationToken);
}
