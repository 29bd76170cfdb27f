using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Decodes with a graph that ONNX Runtime runs.</summary>
internal sealed class OnnxDecoder : ICausalDecoder, IDisposable
{
    private readonly UseCount _uses = new();
    private readonly RunOptions _runOptions = new();
    private readonly string _path;
    private readonly int? _unchangedLength;

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
            var stack = Describe();
            _unchangedLength = stack?.UnchangedLength;
            ContextLength = _unchangedLength is null ? Signature.ContextLength : stack!.Context;
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

    public int ContextLength { get; }

    public UseCount.Hold Hold() => _uses.Begin(typeof(OnnxTextGenerator));

    /// <exception cref="NotSupportedException">Texts may grow to a length where keys in the cache would be turned otherwise.</exception>
    public IDecodingCache CreateCache(int rows, int capacity)
    {
        if (capacity > _unchangedLength)
        {
            throw new NotSupportedException(
                $"{_path}: the longest text may grow to {capacity} positions, but rotary positions of this network change beyond "
                + $"{_unchangedLength} (rope_scaling of config.json), which a graph with past key values cannot follow. Give a shorter "
                + $"prompt or fewer {nameof(GenerationOptions.MaximumNewTokens)}, or generate with the model itself.");
        }

        return new OnnxDecodingCache(this, rows, capacity);
    }

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

    /// <summary>What <c>config.json</c> says; null where another program wrote it for a network that this library does not know.</summary>
    private Stack? Describe()
    {
        try
        {
            return FamilyRegistry.Of(Configuration, _path).Read(new ConfigurationReader(Configuration)).Output;
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidDataException)
        {
            return null;
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
