using System.Globalization;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a model that becomes several graphs of a folder, each compared with the engine.</summary>
internal sealed class FolderExport
{
    /// <summary>In units of the largest number; what rounding explains.</summary>
    private const double Bound = 1e-4;

    private readonly OnnxExportOptions _options;
    private readonly ScalarType _engine;
    private readonly IProgress<OnnxExportedFile>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly List<OnnxExportedFile> _files = [];
    private string _folder = "";

    private FolderExport(
        OnnxExportOptions options, ScalarType engine, IProgress<OnnxExportedFile>? progress, CancellationToken cancellationToken) =>
        (_options, _engine, _progress, _cancellationToken) = (options, engine, progress, cancellationToken);

    /// <summary>What configurations beside the graphs have as the type of weights.</summary>
    public ScalarType DataType => _options.Precision == OnnxPrecision.Float16 ? ScalarType.Float16 : ScalarType.Float32;

    /// <summary>Writes a folder; it gets its name when all of it is there.</summary>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="engine">The type that the engine computes the model in.</param>
    /// <param name="progress">Told of each graph; null for nobody.</param>
    /// <param name="write">Writes what is no graph into the folder that it is given, and graphs by the object.</param>
    /// <param name="cancellationToken">Stops between graphs.</param>
    /// <returns>The graphs, in the order of writing.</returns>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written.</exception>
    public static IReadOnlyList<OnnxExportedFile> Write(
        string folder, OnnxExportOptions options, ScalarType engine, IProgress<OnnxExportedFile>? progress,
        Action<string, FolderExport> write, CancellationToken cancellationToken)
    {
        ExportFolder.ThrowIfOccupied(folder);
        var export = new FolderExport(options, engine, progress, cancellationToken);
        try
        {
            AtomicFolder.Write(folder, inside =>
            {
                export._folder = inside;
                write(inside, export);
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The ONNX export cannot be written to '{folder}': {exception.Message}", exception);
        }

        return export._files;
    }

    /// <summary>Refuses what has no meaning for a model.</summary>
    /// <param name="options">The options.</param>
    /// <param name="model">What the message calls it.</param>
    /// <param name="hasTransformersJsFiles">Whether transformers.js runs such models.</param>
    /// <exception cref="ArgumentException">An option is set that has no meaning, or the number format is none.</exception>
    public static void Check(OnnxExportOptions options, string model, bool hasTransformersJsFiles)
    {
        if (!Enum.IsDefined(options.Precision))
            throw new ArgumentException(
                $"{nameof(options.Precision)} is {options.Precision}, which is no {nameof(OnnxPrecision)}.", nameof(options));
        foreach (var (name, isSet) in ((string, bool)[])
            [
                (nameof(options.SeparateAdapter), options.SeparateAdapter), (nameof(options.FileWithoutPast), options.FileWithoutPast),
                (nameof(options.FusedOperators), options.FusedOperators), (nameof(options.Generation), options.Generation is not null),
                (nameof(options.TransformersJsFiles), options.TransformersJsFiles && !hasTransformersJsFiles),
            ])
        {
            if (isSet)
                throw new ArgumentException($"{name} is set, which has no meaning for a {model}. Leave it out.", nameof(options));
        }
    }

    /// <summary>Writes a graph.</summary>
    /// <param name="name">Its path in the folder.</param>
    /// <param name="precision">The number format that it has.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="compare">Gives the largest difference from the engine of the file, in units of the largest number.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file or computes other numbers.</exception>
    public void Write(string name, OnnxPrecision precision, GraphBuilder graph, Func<string, double> compare)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var path = Path.Combine(_folder, name);
        ModelFileWriter.Write(path, graph, _options.ExternalDataFrom);
        double? difference = null;
        if (_options.Check)
            difference = Judge(name, precision, compare(path));
        else
            ExportedSession.Open(path, name).Dispose();
        Tell(name, precision, difference);
    }

    /// <summary>Has a graph in float32 written by another exporter, which compares it.</summary>
    /// <param name="name">Its path in the folder.</param>
    /// <param name="write">Writes the file, and gives the largest difference from the engine.</param>
    public void Write(string name, Func<string, double> write)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        Tell(name, OnnxPrecision.Float32, write(Path.Combine(_folder, name)));
    }

    private void Tell(string name, OnnxPrecision precision, double? difference)
    {
        var (path, data) = (new FileInfo(Path.Combine(_folder, name)), new FileInfo(Path.Combine(_folder, name + "_data")));
        var file = new OnnxExportedFile(name, precision, path.Length + (data.Exists ? data.Length : 0), difference);
        _files.Add(file);
        _progress?.Report(file);
    }

    private double Judge(string name, OnnxPrecision precision, double difference)
    {
        var bound = precision is OnnxPrecision.Int8 or OnnxPrecision.Int4 ? 0.5
            : precision == OnnxPrecision.Float32 && _engine == ScalarType.Float32 ? Bound : 0.1;
        return difference <= bound // NaN is not
            ? difference
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported {name} ({precision}) computes other numbers than the engine: they differ by {difference:0.000e+0} of the "
                + $"largest, at most {bound:0.0e+0} was expected."));
    }
}
