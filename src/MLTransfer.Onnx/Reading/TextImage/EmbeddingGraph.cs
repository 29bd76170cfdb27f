using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>An ONNX file that embeds texts, pictures or both, with its inputs found by type and shape, whatever they are called.</summary>
internal sealed class EmbeddingGraph : IDisposable
{
    private const int PictureRank = 4;

    private readonly InferenceSession _session;
    private readonly string? _pixels;
    private readonly string? _ids;
    private readonly string? _mask;
    private readonly List<string> _types = [];

    /// <exception cref="InvalidDataException">ONNX Runtime does not load the file.</exception>
    /// <exception cref="NotSupportedException">It has an input that is not known; the message names it.</exception>
    public EmbeddingGraph(string path)
    {
        Location = path;
        FileOnDisk.RefuseAllButContent(path); // ONNX Runtime opens it
        using var options = new SessionOptions
        {
            IntraOpNumThreads = TorchSharp.torch.get_num_threads(), LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            _session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidDataException($"'{path}': ONNX Runtime cannot load the graph: {exception.Message}", exception);
        }

        try
        {
            foreach (var (name, input) in _session.InputMetadata)
            {
                if (IsPixels(input))
                    _pixels = _pixels is null ? name : throw Unknown(name, input);
                else if (!IsTokens(input))
                    throw Unknown(name, input);
                else if (name.Contains("mask", StringComparison.OrdinalIgnoreCase))
                    _mask = _mask is null ? name : throw Unknown(name, input);
                else if (name.Contains("type", StringComparison.OrdinalIgnoreCase))
                    _types.Add(name);
                else
                    _ids = _ids is null ? name : throw Unknown(name, input);
            }

            BatchSize = FixedExtent(0) is { } batch
                ? batch == 1 ? 1 : throw new NotSupportedException(
                    $"'{path}' takes {batch} rows at a time. Export it with a symbolic batch, or with a batch of 1.")
                : null;
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>What messages call the file.</summary>
    public string Location { get; }

    public bool TakesPixels => _pixels is not null;

    public bool TakesTexts => _ids is not null;

    /// <summary>Whether the file is told which tokens are padding.</summary>
    public bool TakesMask => _mask is not null;

    /// <summary>1 where the file fixes its batch; else null.</summary>
    public int? BatchSize { get; }

    /// <summary>The tokens of a text where the file fixes them.</summary>
    public int? TextLength => _ids is null ? null : Extent(_session.InputMetadata[_ids], 1);

    /// <summary>Height and width of pictures where the file fixes them.</summary>
    public (int? Height, int? Width) PictureSize =>
        _pixels is null ? (null, null) : (Extent(_session.InputMetadata[_pixels], 2), Extent(_session.InputMetadata[_pixels], 3));

    /// <summary>Finds an output.</summary>
    /// <param name="given">The user's name for it; null to find it by <paramref name="part"/>.</param>
    /// <param name="part">What its name has in it.</param>
    /// <param name="option">What the user gives a name in.</param>
    /// <exception cref="ArgumentException">There is none, or several; the message names all.</exception>
    public string FindOutput(string? given, string part, string option)
    {
        var found = _session.OutputNames.Where(name => given is null
            ? name.Contains(part, StringComparison.OrdinalIgnoreCase) : name == given).ToList();
        return found is [var name] ? name : throw new ArgumentException(
            $"'{Location}' has {(given is null ? $"no single output like '{part}'" : $"no output '{given}'")}; it has "
            + $"{string.Join(", ", _session.OutputNames.Select(output => $"'{output}'"))}. Name the one to take in {option}.", option);
    }

    /// <summary>Runs the file.</summary>
    /// <param name="tokens">Of texts; null where the file takes none.</param>
    /// <param name="pictures">Null where the file takes none.</param>
    /// <param name="outputs">The outputs to compute: each [rows, width].</param>
    /// <returns>For each output its rows.</returns>
    /// <exception cref="InvalidOperationException">ONNX Runtime cannot compute these inputs.</exception>
    /// <exception cref="NotSupportedException">An output has another shape or type.</exception>
    public List<float[][]> Run(TokenRows? tokens, PictureRows? pictures, params IReadOnlyList<string> outputs)
    {
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            if (_pixels is not null)
                inputs.Add(_pixels, Floats(_pixels, pictures!.Values, [pictures.Count, 3, pictures.Height, pictures.Width]));
            if (_ids is not null)
                inputs.Add(_ids, Integers(_ids, tokens!.Ids, tokens));
            if (_mask is not null)
                inputs.Add(_mask, Integers(_mask, tokens!.Mask, tokens));
            foreach (var types in _types)
                inputs.Add(types, Integers(types, new long[tokens!.Ids.Length], tokens));
            using var options = new RunOptions();
            using var results = _session.Run(options, inputs, outputs);
            return [.. outputs.Zip(results, (name, value) => Rows(name, value, tokens?.Count ?? pictures!.Count))];
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"'{Location}': {exception.Message}", exception);
        }
        finally
        {
            foreach (var value in inputs.Values)
                value.Dispose();
        }
    }

    public void Dispose() => _session.Dispose();

    private float[][] Rows(string name, OrtValue value, int count)
    {
        var information = value.GetTensorTypeAndShape();
        if (information.Shape is not [var rows, var width] || rows != count)
        {
            throw new NotSupportedException(
                $"The output '{name}' of '{Location}' has the shape [{string.Join(", ", information.Shape)}] for {count} rows; expected "
                + $"[{count}, width].");
        }

        float[] values = information.ElementDataType switch
        {
            TensorElementType.Float => value.GetTensorDataAsSpan<float>().ToArray(),
            TensorElementType.Float16 => [.. value.GetTensorDataAsSpan<Float16>().ToArray().Select(half => half.ToFloat())],
            _ => throw new NotSupportedException(
                $"The output '{name}' of '{Location}' has elements of type {information.ElementDataType}; expected float."),
        };
        return [.. values.Chunk((int)width)];
    }

    private OrtValue Floats(string input, float[] values, long[] shape) =>
        _session.InputMetadata[input].ElementDataType == TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (Float16)value), shape)
            : OrtValue.CreateTensorValueFromMemory(values, shape);

    private OrtValue Integers(string input, long[] values, TokenRows tokens)
    {
        long[] shape = [tokens.Count, tokens.Length];
        return _session.InputMetadata[input].ElementDataType switch
        {
            TensorElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (int)value), shape),
            TensorElementType.Bool => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => value != 0), shape),
            _ => OrtValue.CreateTensorValueFromMemory(values, shape),
        };
    }

    private int? FixedExtent(int axis) => _session.InputMetadata.Values.Select(input => Extent(input, axis)).Max();

    private static int? Extent(NodeMetadata input, int axis) => input.Dimensions[axis] is > 0 and var extent ? extent : null;

    private static bool IsPixels(NodeMetadata input) =>
        input.ElementDataType is TensorElementType.Float or TensorElementType.Float16
        && input.Dimensions.Length == PictureRank && input.Dimensions[1] is <= 0 or 3;

    private static bool IsTokens(NodeMetadata input) =>
        input.ElementDataType is TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool
        && input.Dimensions.Length == 2;

    private NotSupportedException Unknown(string name, NodeMetadata input) => new(
        $"The input '{name}' of '{Location}' has {input.ElementDataType} elements of shape [{string.Join(", ", input.Dimensions)}]; an "
        + "image-text model has one input of token ids [batch, length], of pixels [batch, 3, height, width] or both, and may have an "
        + "attention mask and token types.");
}
