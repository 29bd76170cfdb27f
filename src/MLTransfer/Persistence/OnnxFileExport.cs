using MLTransfer.Logging;
using MLTransfer.Onnx;
using Microsoft.ML.Runtime;

namespace MLTransfer.Persistence;

/// <summary>The export of models that become one ONNX file in float32, without options.</summary>
internal static class OnnxFileExport
{
    /// <param name="path">The file.</param>
    /// <param name="options">Must be null.</param>
    /// <param name="compared">What the check compares, for the log, such as "pixels".</param>
    /// <param name="channel">Told of the file.</param>
    /// <param name="write">Writes the file; gives the largest difference from what the engine computes.</param>
    /// <param name="cancellationToken">Looked at before the file is written.</param>
    /// <exception cref="ArgumentException">There are options.</exception>
    public static IReadOnlyList<OnnxExportedFile> Write(
        string path, OnnxExportOptions? options, string compared, IChannel channel, Func<double> write,
        CancellationToken cancellationToken)
    {
        if (options is not null)
            throw new ArgumentException($"Only text generators are exported with {nameof(OnnxExportOptions)}; give none.", nameof(options));
        cancellationToken.ThrowIfCancellationRequested();
        var difference = write();
        var file = new OnnxExportedFile(Path.GetFileName(path), OnnxPrecision.Float32, new FileInfo(path).Length, difference);
        new OnnxExportLog(channel, compared).Report(file);
        return [file];
    }
}
