using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Decodes with a graph that ONNX Runtime runs.</summary>
internal sealed class OnnxDecoder : ICausalDecoder, IDisposable
{
    private readonly UseCount _uses = new();
    private readonly RunOptions _runOptions = new();
    private readonly string _path;

    /// <exception cref="InvalidDataException">The graph or <c>config.json</c> is malformed or of another kind, or they do not fit each
    /// other.</exception>
    public OnnxDecoder(OnnxExportFiles files, OnnxRuntimeOptions options)
    {
        _path = files.ModelPath;
        Configuration = ModelConfigurationFile.Read(files.Folder);
        using var sessionOptions = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = options.ThreadCount,
            // A pattern is kept for each shape of the inputs, and every step has a new one.
            EnableMemoryPattern = false,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            Session = new InferenceSession(_path, sessionOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidDataException($"{_path}: ONNX Runtime cannot load the graph: {exception.Message}", exception);
        }

        Allocator = new OrtAllocator(Session, OrtMemoryInfo.DefaultInstance);
        try
        {
            Signature = DecoderSignature.Read(Session, Configuration, _path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public JsonObject Configuration { get; }

    public DecoderSignature Signature { get; }

    /// <summary>The loaded graph.</summary>
    public InferenceSession Session { get; }

    /// <summary>The session's arena.</summary>
    public OrtAllocator Allocator { get; }

    /// <summary>
    /// The most logits that one pass computes: the graph gives those of every position, and only the last ones are needed.
    /// </summary>
    public int MaximumLogits { get; init; } = 1 << 25;

    public int VocabularySize => Signature.VocabularySize;

    public int ContextLength => Signature.ContextLength;

    public UseCount.Hold Hold() => _uses.Begin(typeof(OnnxTextGenerator));

    public PromptEncoder? Encoder => null;

    public IDecodingCache CreateCache(int rows, int capacity, IReadOnlyList<IReadOnlyList<int>>? encoderIds = null) =>
        new OnnxDecodingCache(this, rows, capacity);

    /// <summary>Runs the graph; the values are those of <see cref="Signature"/>'s names.</summary>
    public void Run(OrtValue[] inputs, OrtValue[] outputs)
    {
        try
        {
            Session.Run(_runOptions, Signature.InputNames, inputs, Signature.OutputNames, outputs);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"{_path}: ONNX Runtime could not run the graph: {exception.Message}", exception);
        }
    }

    /// <summary>Frees the graph, as soon as nothing generates with it.</summary>
    public void Dispose() => _uses.Dispose(() =>
    {
        Allocator.Dispose();
        Session.Dispose();
        _runOptions.Dispose();
    });
}
