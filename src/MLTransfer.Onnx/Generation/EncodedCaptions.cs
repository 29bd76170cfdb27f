using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Generation;

/// <summary>What an encoder's graph gives for captions, each read alone, below each other: what is missing is zeros that are
/// masked.</summary>
internal sealed class EncodedCaptions : IDisposable
{
    private EncodedCaptions(OrtValue states, OrtValue mask) => (States, Mask) = (states, mask);

    /// <summary>[rows, tokens, width].</summary>
    public OrtValue States { get; }

    /// <summary>[rows, tokens] int64.</summary>
    public OrtValue Mask { get; }

    /// <summary>Reads captions.</summary>
    /// <param name="encoder">Reads them.</param>
    /// <param name="decoder">Takes what is read as <c>encoder_hidden_states</c>.</param>
    /// <param name="captions">Ids; null for a row of which nothing is seen.</param>
    public static EncodedCaptions Read(InferenceSession encoder, InferenceSession decoder, IReadOnlyList<int[]?> captions)
    {
        var length = captions.Max(caption => caption?.Length ?? 1);
        var type = decoder.InputMetadata["encoder_hidden_states"];
        var width = type.Dimensions[2];
        var mask = new long[captions.Count * length];
        var bytes = type.ElementDataType == TensorElementType.Float ? sizeof(float) : sizeof(ushort);
        var states = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, type.ElementDataType, [captions.Count, length, width]);
        var memory = states.GetTensorMutableRawData();
        memory.Clear();
        using var run = new RunOptions();
        foreach (var (row, caption) in captions.Index())
        {
            if (caption is null)
                continue;
            mask.AsSpan(row * length, caption.Length).Fill(1);
            using var ids = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(caption, id => (long)id), [1, caption.Length]);
            using var seen = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, caption.Length).ToArray(), [1, caption.Length]);
            using var outputs = encoder.Run(run, ["input_ids", "attention_mask"], [ids, seen], ["last_hidden_state"]);
            outputs[0].GetTensorMutableRawData().CopyTo(memory[(row * length * width * bytes)..]);
        }

        return new EncodedCaptions(states, OrtValue.CreateTensorValueFromMemory(mask, [captions.Count, length]));
    }

    public void Dispose()
    {
        States.Dispose();
        Mask.Dispose();
    }
}
