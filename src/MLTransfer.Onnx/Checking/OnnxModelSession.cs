using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>One batch of sequences read by an exported file, part after part, with tensors of the engine.</summary>
internal sealed class OnnxModelSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly List<string> _inputNames;
    private readonly string[] _pastNames;
    private readonly RunOptions _runOptions = new();
    private List<OrtValue>? _past; // as the outputs but the first

    public OnnxModelSession(string path, SessionOptions options)
    {
        _session = new InferenceSession(path, options);
        _inputNames = ["input_ids", "attention_mask", "position_ids"];
        _pastNames = [.. _session.OutputNames.Skip(1).Select(name => name.Replace("present", "past_key_values", StringComparison.Ordinal))];
        _inputNames.AddRange(_pastNames);
    }

    /// <summary>Whether the file takes past key values.</summary>
    public bool HasPast => _pastNames.Length > 0;

    /// <summary>Reads further tokens.</summary>
    /// <param name="inputIds">[batch, length] int64.</param>
    /// <param name="attentionMask">[batch, past + length] int64.</param>
    /// <param name="positionIds">[batch, length] int64.</param>
    /// <returns>Logits: [batch, length, vocabulary] float32.</returns>
    public Tensor Run(Tensor inputIds, Tensor attentionMask, Tensor positionIds)
    {
        using var inputs = new OrtValues([ToValue(inputIds), ToValue(attentionMask), ToValue(positionIds)]);
        _past ??= [.. _pastNames.Select(name => EmptyPast(_session.InputMetadata[name], inputIds.shape[0]))];
        var outputs = _session.Run(_runOptions, _inputNames, [.. inputs.Values, .. _past], _session.OutputNames).ToList();
        DisposePast();
        _past = outputs[1..];
        using var logits = outputs[0];
        return ToTensor(logits);
    }

    /// <summary>Forgets what was read.</summary>
    public void Clear()
    {
        DisposePast();
        _past = null;
    }

    public void Dispose()
    {
        DisposePast();
        _runOptions.Dispose();
        _session.Dispose();
    }

    private void DisposePast()
    {
        foreach (var value in _past ?? [])
            value.Dispose();
    }

    private static OrtValue EmptyPast(NodeMetadata metadata, long batch)
    {
        long[] shape = [batch, metadata.Dimensions[1], 0, metadata.Dimensions[3]];
        return OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, metadata.ElementDataType, shape);
    }

    private static OrtValue ToValue(Tensor tensor)
    {
        using var contiguous = tensor.cpu().contiguous();
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64, contiguous.shape);
        NativeTensor.AsSpan<long>(contiguous).CopyTo(value.GetTensorMutableDataAsSpan<long>());
        return value;
    }

    private static Tensor ToTensor(OrtValue value)
    {
        var information = value.GetTensorTypeAndShape();
        if (information.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
            return Copy<float>(ScalarType.Float32);
        using var half = Copy<ushort>(ScalarType.Float16);
        return half.to(ScalarType.Float32);

        Tensor Copy<T>(ScalarType type) where T : unmanaged
        {
            var result = empty(information.Shape, type);
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData()).CopyTo(NativeTensor.AsSpan<T>(result));
            return result;
        }
    }

    private sealed class OrtValues(OrtValue[] values) : IDisposable
    {
        public OrtValue[] Values { get; } = values;

        public void Dispose()
        {
            foreach (var value in Values)
                value.Dispose();
        }
    }
}
