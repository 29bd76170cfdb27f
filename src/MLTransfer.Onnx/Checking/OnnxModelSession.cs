using MLTransfer.Torch.Memory;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace MLTransfer.Onnx.Checking;

/// <summary>One batch of sequences read by an exported file, part after part, with tensors of the engine.</summary>
internal sealed class OnnxModelSession : IDisposable
{
    public const string InputIds = "input_ids";
    public const string AttentionMask = "attention_mask";
    public const string PositionIds = "position_ids";
    public const string TokenTypeIds = "token_type_ids";
    public const string EncoderMask = "encoder_attention_mask";
    public const string EncoderStates = "encoder_hidden_states";

    private const string PastPrefix = "past_key_values.";
    private const string PresentPrefix = "present.";

    private readonly InferenceSession _session;
    private readonly bool _isOwned;
    private readonly string[] _pastNames;
    private readonly RunOptions _runOptions = new();
    private readonly Dictionary<string, OrtValue> _past = []; // by the names of inputs

    /// <param name="session">The opened file.</param>
    /// <param name="isOwned">Whether it is taken over.</param>
    public OnnxModelSession(InferenceSession session, bool isOwned = true)
    {
        (_session, _isOwned) = (session, isOwned);
        _pastNames = [.. _session.InputNames.Where(name => name.StartsWith(PastPrefix, StringComparison.Ordinal))];
    }

    /// <summary>Whether the file takes past key values.</summary>
    public bool HasPast => _pastNames.Length > 0;

    /// <summary>Whether the file has an input of this name.</summary>
    public bool Takes(string input) => _session.InputMetadata.ContainsKey(input);

    /// <summary>Reads further tokens with a decoder.</summary>
    /// <param name="inputIds">[batch, length] int64.</param>
    /// <param name="attentionMask">[batch, past + length] int64.</param>
    /// <param name="positionIds">[batch, length] int64.</param>
    /// <returns>Logits: [batch, length, vocabulary] float32.</returns>
    public Tensor Run(Tensor inputIds, Tensor attentionMask, Tensor positionIds) =>
        Run((InputIds, inputIds), (AttentionMask, attentionMask), (PositionIds, positionIds));

    /// <summary>Runs the file, with what was read before as its past.</summary>
    /// <param name="inputs">All inputs but the past, by name.</param>
    /// <returns>The first output, float32 or int64.</returns>
    public Tensor Run(params IReadOnlyList<(string Name, Tensor Value)> inputs)
    {
        foreach (var name in _pastNames.Where(name => !_past.ContainsKey(name)))
            _past.Add(name, EmptyPast(_session.InputMetadata[name], inputs[0].Value.shape[0]));
        var values = inputs.Select(input => ToValue(input.Value, _session.InputMetadata[input.Name].ElementDataType)).ToList();
        try
        {
            var outputs = _session.Run(
                _runOptions, [.. inputs.Select(input => input.Name), .. _pastNames], [.. values, .. _pastNames.Select(name => _past[name])],
                _session.OutputNames).ToList();
            using var first = outputs[0];
            foreach (var (name, value) in _session.OutputNames.Zip(outputs).Skip(1))
                Replace(PastPrefix + name[PresentPrefix.Length..], value);
            return ToTensor(first);
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    /// <summary>Continues what another file began to read.</summary>
    public void TakePast(OnnxModelSession beginning)
    {
        foreach (var (name, value) in beginning._past)
            Replace(name, value);
        beginning._past.Clear();
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
        _runOptions.Dispose();
        if (_isOwned)
            _session.Dispose();
    }

    private void Replace(string name, OrtValue value)
    {
        if (_past.Remove(name, out var old))
            old.Dispose();
        _past.Add(name, value);
    }

    private static OrtValue EmptyPast(NodeMetadata metadata, long batch)
    {
        long[] shape = [batch, metadata.Dimensions[1], 0, metadata.Dimensions[3]];
        return OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, metadata.ElementDataType, shape);
    }

    private static OrtValue ToValue(Tensor tensor, TensorElementType type)
    {
        using var scope = NewDisposeScope();
        var values = tensor.to(type switch
        {
            TensorElementType.Int64 => ScalarType.Int64,
            TensorElementType.Float16 => ScalarType.Float16,
            TensorElementType.Bool => ScalarType.Bool,
            _ => ScalarType.Float32,
        }, CPU).contiguous();
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, values.shape);
        values.bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    private static Tensor ToTensor(OrtValue value)
    {
        var information = value.GetTensorTypeAndShape();
        if (information.ElementDataType == TensorElementType.Float)
            return Copy<float>(ScalarType.Float32);
        if (information.ElementDataType == TensorElementType.Int64)
            return Copy<long>(ScalarType.Int64);
        using var half = Copy<ushort>(ScalarType.Float16);
        return half.to(ScalarType.Float32);

        Tensor Copy<T>(ScalarType type) where T : unmanaged
        {
            var result = empty(information.Shape, type);
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData())
                .CopyTo(NativeTensor.AsSpan<T>(result));
            return result;
        }
    }
}
