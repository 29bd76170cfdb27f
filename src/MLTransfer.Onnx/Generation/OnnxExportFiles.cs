using MLTransfer.Onnx.Writing;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Generation;

/// <summary>The files of an export that generation needs, beside those of the tokenizer.</summary>
/// <param name="Folder">The export's folder, a full path; <c>config.json</c> lies there.</param>
/// <param name="Graph">The graph, then the files that hold weights for it, all in one folder.</param>
internal sealed record OnnxExportFiles(string Folder, IReadOnlyList<GraphFile> Graph)
{
    private static readonly string[] s_modelFiles = ["model.onnx", "onnx/model.onnx"];

    /// <summary>The graph's full path.</summary>
    public string ModelPath => Graph[0].FullName;

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is not an export.</exception>
    /// <exception cref="NotSupportedException">It is the export of an encoder with a decoder, or makes pictures.</exception>
    public static OnnxExportFiles Find(string folder, OnnxRuntimeOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        options.Check();
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to load an ONNX export from.");
        if (options.ModelFile is null && File.Exists(Path.Combine(folder, ImageCodecExporter.DecoderFile)))
        {
            throw new NotSupportedException(
                $"The folder '{folder}' is the export of a network that makes pictures: load it with {nameof(OnnxTextToImageGenerator)} or "
                + "LoadOnnxImages.");
        }

        if (options.ModelFile is null && File.Exists(Path.Combine(folder, TransformerFile.EncoderName + ".onnx")))
        {
            throw new NotSupportedException(
                $"The folder '{folder}' is the export of an encoder with a decoder, which other programs run: generation with ONNX Runtime "
                + "here is for decoders alone. Generate with TorchSharp, from the model's folder or zip.");
        }

        string[] candidates = options.ModelFile is { } named ? [named.Replace('\\', '/')] : s_modelFiles;
        var path = candidates.Select(candidate => Path.GetFullPath(candidate, folder)).FirstOrDefault(File.Exists)
            ?? throw NoExport(string.Join(" or ", candidates));
        if (!File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName)))
            throw NoExport(ModelConfigurationFile.FileName);
        return new OnnxExportFiles(folder, GraphFiles(path));

        FileNotFoundException NoExport(string missing) =>
            new(
                $"The folder '{folder}' is not an ONNX export: it has no {missing}. Give a folder that an export was written to, "
                + "with the graph, "
                + $"{ModelConfigurationFile.FileName} and the tokenizer's files.");
    }

    /// <summary>The tokenizer of an export whose captions may have one; null where there is none.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of the tokenizer is malformed.</exception>
    public static TextTokenizer? LoadTokenizer(string folder, OnnxRuntimeOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        options.Check();
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' of the ONNX export does not exist.");
        return Directory.EnumerateFiles(folder).Any(file => TokenizerFiles.IsTokenizerFile(Path.GetFileName(file)))
            ? TextTokenizer.Load(folder) : null;
    }

    /// <summary>A graph, then the files that hold weights for it.</summary>
    public static IReadOnlyList<GraphFile> GraphFiles(string path) => [GraphFile.Of(path), .. WeightFiles(path).Select(GraphFile.Of)];

    /// <summary>
    /// Files of weights by the names that exporters give them, such as <c>model.onnx_data</c>, without those of another graph.
    /// </summary>
    private static IEnumerable<string> WeightFiles(string graph)
    {
        var folder = Path.GetDirectoryName(graph)!;
        foreach (var name in Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal))
        {
            var end = Math.Max(
                name.LastIndexOf(".onnx_data", StringComparison.Ordinal), name.LastIndexOf(".onnx.data", StringComparison.Ordinal));
            if (end < 0)
                continue;
            var owner = Path.Combine(folder, name[..end] + ".onnx");
            if (owner == graph || !File.Exists(owner))
                yield return Path.Combine(folder, name);
        }
    }
}
