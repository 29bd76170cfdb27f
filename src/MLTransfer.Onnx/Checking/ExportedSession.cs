using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>
/// Opens what an export wrote, with all graph optimizations. Every export does so before a file gets its final name.
/// </summary>
internal static class ExportedSession
{
    private const string DataFolder = "session.model_external_initializers_file_folder_path";

    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not take the file.</exception>
    public static InferenceSession Open(string path, string name) => Open(options => new InferenceSession(path, options), name);

    /// <param name="content">The file's bytes.</param>
    /// <param name="dataFolder">Where the data files lie that it names.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not take the file.</exception>
    public static InferenceSession Open(byte[] content, string dataFolder, string name) => Open(options =>
    {
        options.AddSessionConfigEntry(DataFolder, dataFolder);
        return new InferenceSession(content, options);
    }, name);

    /// <summary>The largest difference of an output's element from what the engine computes; NaN where one of the two alone is.</summary>
    /// <param name="session">The file.</param>
    /// <param name="inputs">Contiguous float32 on the CPU, by name.</param>
    /// <param name="output">The output's name.</param>
    /// <param name="expected">What the engine gives.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the file.</exception>
    public static double LargestDifference(
        this InferenceSession session, IReadOnlyList<(string Name, Tensor Value)> inputs, string output, Tensor expected)
    {
        using var scope = NewDisposeScope();
        List<OrtValue> values = [.. inputs.Select(input =>
            OrtValue.CreateTensorValueFromMemory(NativeTensor.AsSpan<float>(input.Value).ToArray(), input.Value.shape))];
        try
        {
            using var run = new RunOptions();
            using var outputs = session.Run(run, [.. inputs.Select(input => input.Name)], values, [output]);
            var found = tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), expected.shape);
            var same = found.eq(expected).logical_or(found.isnan().logical_and(expected.isnan())); // infinities too
            return where(same, zeros_like(found), (found - expected).abs()).max().ToDouble();
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    public static InvalidOperationException NotRun(string name, OnnxRuntimeException exception) =>
        new($"ONNX Runtime does not run the exported {name}: {exception.Message}", exception);

    private static InferenceSession Open(Func<SessionOptions, InferenceSession> create, string name)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            return create(options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw NotRun(name, exception);
        }
    }
}
