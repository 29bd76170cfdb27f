namespace MLTransfer.Onnx.Generation;

/// <summary>Which file of an export ONNX Runtime runs, and how.</summary>
public sealed record OnnxRuntimeOptions
{
    // More than any machine has cores; they are made when a graph is loaded.
    private const int MostThreads = 1024;

    /// <summary>
    /// The graph's file, as a path in the export's folder such as <c>onnx/model_quantized.onnx</c>; null for <c>model.onnx</c> or, where
    /// there is none, <c>onnx/model.onnx</c>.
    /// </summary>
    public string? ModelFile { get; init; }

    /// <summary>The threads that compute one pass; 0 for one a physical core, as ONNX Runtime chooses. At most 1024.</summary>
    public int ThreadCount { get; init; }

    /// <summary>Checks every option.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message says which, and what is expected.</exception>
    public void Check()
    {
        if (ThreadCount is < 0 or > MostThreads)
        {
            throw new ArgumentException(
                $"{nameof(OnnxRuntimeOptions)}: {nameof(ThreadCount)} is {ThreadCount}; expected 0 to {MostThreads}.");
        }

        if (ModelFile is not null
            && (string.IsNullOrWhiteSpace(ModelFile) || ModelFile.Any(char.IsControl) || Path.IsPathRooted(ModelFile)
                || ModelFile.Split('/', '\\').Contains("..")))
        {
            throw new ArgumentException(
                $"{nameof(OnnxRuntimeOptions)}: {nameof(ModelFile)} is '{ModelFile}'; expected a path inside the export's folder, such as "
                + "'onnx/model_quantized.onnx', or null.");
        }
    }
}
