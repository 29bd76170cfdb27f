using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>What a decoder's graph keeps of the positions that it has read, from pass to pass.</summary>
/// <remarks>
/// All that a graph takes as <c>past_key_values.NAME</c> it gives as <c>present.NAME</c>. What is kept of an encoder's text is given by the
/// first pass alone.
/// </remarks>
/// <param name="decoder">The graph, which outlives this object.</param>
internal sealed class PastValues(InferenceSession decoder) : IDisposable
{
    private const string PastPrefix = "past_key_values.", PresentPrefix = "present.", Encoder = ".encoder.";

    private readonly RunOptions _run = new();
    private readonly Dictionary<string, OrtValue> _past = [];
    private readonly string[] _names = [.. decoder.InputNames.Where(name => name.StartsWith(PastPrefix, StringComparison.Ordinal))];

    /// <summary>Whether a pass was made.</summary>
    public bool HasRead => _past.Count > 0;

    /// <summary>Makes a pass.</summary>
    /// <param name="rows">The rows of the batch.</param>
    /// <param name="inputs">All inputs but what is kept.</param>
    /// <returns>The logits, which the caller disposes.</returns>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not run the graph.</exception>
    public OrtValue Run(int rows, IReadOnlyList<(string Name, OrtValue Value)> inputs)
    {
        var continues = HasRead;
        foreach (var name in _names.Where(name => !_past.ContainsKey(name)))
            _past.Add(name, Empty(decoder.InputMetadata[name], rows));
        string[] outputs =
        [
            "logits", .. decoder.OutputNames.Where(name => name.StartsWith(PresentPrefix, StringComparison.Ordinal)
                && (!continues || !name.Contains(Encoder, StringComparison.Ordinal))),
        ];
        List<OrtValue> given;
        try
        {
            given =
            [
                .. decoder.Run(
                    _run, [.. inputs.Select(input => input.Name), .. _names],
                    [.. inputs.Select(input => input.Value), .. _names.Select(name => _past[name])], outputs),
            ];
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"ONNX Runtime could not run the decoder: {exception.Message}", exception);
        }

        foreach (var (name, value) in outputs.Zip(given).Skip(1))
        {
            var past = PastPrefix + name[PresentPrefix.Length..];
            _past[past].Dispose();
            _past[past] = value;
        }

        return given[0];
    }

    /// <summary>Forgets what was read.</summary>
    public void Clear()
    {
        foreach (var value in _past.Values)
            value.Dispose();
        _past.Clear();
    }

    public void Dispose()
    {
        Clear();
        _run.Dispose();
    }

    private static OrtValue Empty(NodeMetadata metadata, int rows) => OrtValue.CreateAllocatedTensorValue(
        OrtAllocator.DefaultInstance, metadata.ElementDataType, [rows, metadata.Dimensions[1], 0, metadata.Dimensions[3]]);
}
