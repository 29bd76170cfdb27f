using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Generation;

/// <summary>The graphs of a model that is exported as several.</summary>
/// <param name="folder">The export.</param>
/// <param name="options">How graphs are run. The file that they name is that of <paramref name="main"/>; the others lie beside it, with the
/// same suffix.</param>
/// <param name="main">The name of the graph that options name, without <c>.onnx</c>.</param>
/// <param name="model">What messages call the model, with its article.</param>
internal sealed class ExportedGraphs(string folder, OnnxRuntimeOptions options, string main, string model) : IDisposable
{
    private readonly List<InferenceSession> _sessions = [];
    private readonly List<GraphFile> _files = [];

    /// <summary>The graphs that were opened, each with the files of its weights.</summary>
    public IReadOnlyList<GraphFile> Files => _files;

    private string MainFile => options.ModelFile ?? main + ".onnx";

    /// <exception cref="FileNotFoundException">There is no such graph.</exception>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public InferenceSession Open(string part) => OpenIfThere(part) ?? throw new FileNotFoundException(
        $"The folder '{folder}' is no ONNX export of {model}: it has no {PathOf(part)}.", PathOf(part));

    /// <exception cref="InvalidDataException">The graph is malformed.</exception>
    public InferenceSession? OpenIfThere(string part)
    {
        var path = PathOf(part);
        if (!File.Exists(path))
            return null;
        _files.AddRange(OnnxExportFiles.GraphFiles(path));
        using var sessionOptions = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = options.ThreadCount,
            EnableMemoryPattern = false, // every step has a new shape
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            _sessions.Add(new InferenceSession(path, sessionOptions));
            return _sessions[^1];
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidDataException($"{path}: ONNX Runtime cannot load the graph: {exception.Message}", exception);
        }
    }

    /// <summary>Refuses another graph than a decoder that reads a beginning and goes on.</summary>
    /// <param name="decoder">The main graph.</param>
    /// <param name="logits">How many a position has.</param>
    /// <param name="hasBranch">Whether it is told which of the two it does.</param>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public void CheckMerged(InferenceSession decoder, int logits, bool hasBranch)
    {
        if (decoder.InputMetadata.ContainsKey("use_cache_branch") != hasBranch || !decoder.InputMetadata.ContainsKey("input_ids")
            || !decoder.OutputMetadata.TryGetValue("logits", out var output) || output.Dimensions is not [_, _, var ids] || ids != logits)
        {
            throw new InvalidDataException(
                $"{Path.Combine(folder, MainFile)} is no merged decoder with {logits} logits, as config.json says of {model}.");
        }
    }

    /// <summary>Copies logits of a row's last position, [rows, positions, ids] float32 or float16.</summary>
    /// <param name="logits">What a decoder gave.</param>
    /// <param name="row">The row.</param>
    /// <param name="first">The first id.</param>
    /// <param name="target">As many as are wanted.</param>
    public static void CopyLast(OrtValue logits, int row, int first, Span<float> target)
    {
        var information = logits.GetTensorTypeAndShape();
        var (positions, ids) = ((int)information.Shape[1], (int)information.Shape[2]);
        var start = ((row + 1) * positions - 1) * ids + first;
        if (information.ElementDataType == TensorElementType.Float)
            logits.GetTensorDataAsSpan<float>().Slice(start, target.Length).CopyTo(target);
        else
            TensorPrimitives.ConvertToSingle(
                MemoryMarshal.Cast<Float16, Half>(logits.GetTensorDataAsSpan<Float16>()).Slice(start, target.Length), target);
    }

    public void Dispose() => _sessions.ForEach(session => session.Dispose());

    private string PathOf(string part) => Path.Combine(folder, MainFile.Replace(main, part, StringComparison.Ordinal));
}
