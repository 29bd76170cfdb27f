using MLTransfer.Onnx;
using Microsoft.ML.Runtime;

namespace MLTransfer.Persistence;

/// <summary>A transformer whose model can be written as ONNX.</summary>
internal interface IOnnxExport
{
    /// <summary>Writes the model.</summary>
    /// <param name="path">A folder or a file, as the kind of model is written.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="channel">Told of each file.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>The model files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">Models of this kind take no such options, or the options do not go together.</exception>
    IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken);
}
