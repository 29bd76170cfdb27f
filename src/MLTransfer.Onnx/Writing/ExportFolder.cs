using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Writing;

/// <summary>Tells folders that an export may replace from those that hold something else.</summary>
internal static class ExportFolder
{
    /// <summary>The folder in which transformers.js looks for model files.</summary>
    public const string TransformersJs = "onnx";

    /// <exception cref="IOException">The folder is not empty and holds no export, or other things beside it.</exception>
    public static void ThrowIfOccupied(string folder)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
            return;
        if (!Directory.EnumerateFiles(folder).Any(file => TransformerFile.IsName(file) || MusicGenExporter.IsName(file)))
            throw new IOException(
                $"The folder '{folder}' is not empty and holds no ONNX export. Give a new folder: what is in it would be lost.");
        var other = Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(entry => !IsOfExport(Path.GetFileName(entry)));
        if (other is not null)
            throw new IOException(
                $"The folder '{folder}' holds '{Path.GetFileName(other)}' beside an ONNX export. Give a new folder: it would be lost.");
    }

    private static bool IsOfExport(string name) =>
        name is TransformersJs or "config.json" or "generation_config.json" or "preprocessor_config.json" or "speakers.json"
            or DalleMiniFiles.CodecConfiguration
        || TokenizerFiles.IsTokenizerFile(name)
        || Path.GetExtension(name) is ".onnx" or ".onnx_data";
}
