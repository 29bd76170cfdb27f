namespace MLTransfer.Onnx;

/// <summary>The number format that an exported model stores its weights in and computes with.</summary>
public enum OnnxPrecision
{
    /// <summary>Weights and computation in float32: the numbers of the engine.</summary>
    Float32,

    /// <summary>Weights, computation, past key values and logits in float16, as Optimum's <c>--dtype fp16</c> writes them.</summary>
    Float16,

    /// <summary>
    /// Matrices in int8 with a scale for each output, multiplied with activations that are quantized as they come
    /// (<c>DynamicQuantizeLinear</c> and <c>MatMulInteger</c>); everything else in float32.
    /// </summary>
    Int8,

    /// <summary>
    /// Matrices in int4 with a scale and a zero point for each 32 inputs (<c>MatMulNBits</c> of ONNX Runtime); activations and everything
    /// else in float32.
    /// </summary>
    Int4,
}
