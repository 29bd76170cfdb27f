using Google.Protobuf;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>A network that ONNX Runtime computes. It has no parameters to train.</summary>
internal sealed class OnnxFeatures : OnnxBaseNetwork
{
    private readonly InferenceSession _session;

    /// <exception cref="NotSupportedException">ONNX Runtime does not run the file.</exception>
    public OnnxFeatures(OnnxGraph graph) : base(graph)
    {
        // The same thread count as libtorch: the two take turns.
        using var options =
            new SessionOptions { IntraOpNumThreads = get_num_threads(), LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        try
        {
            _session = new InferenceSession(graph.Model.ToByteArray(), options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new NotSupportedException($"ONNX Runtime does not run '{graph.Location}': {exception.Message}", exception);
        }
    }

    public override ModelProto ToModel() => Graph.Model.Clone();

    public override void Dispose() => _session.Dispose();

    protected override Tensor Run(Tensor input)
    {
        using var scope = NewDisposeScope();
        var values = input.detach().contiguous();
        try
        {
            using var inputValue = OrtValue.CreateTensorValueFromMemory(NativeTensor.AsSpan<float>(values).ToArray(), values.shape);
            using var options = new RunOptions();
            using var results = _session.Run(options, [Graph.Input], [inputValue], [Graph.Output]);
            var result = results[0];
            var info = result.GetTensorTypeAndShape();
            if (info.ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
            {
                throw new NotSupportedException(
                    $"The output '{Graph.Output}' of '{Graph.Location}' has elements of type {info.ElementDataType}; expected float.");
            }

            var output = empty(info.Shape, ScalarType.Float32);
            result.GetTensorDataAsSpan<float>().CopyTo(NativeTensor.AsSpan<float>(output));
            return output.MoveToOuterDisposeScope();
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"'{Graph.Location}': {exception.Message}", exception);
        }
    }
}
