namespace MLTransfer.Onnx;

/// <summary>The number format that an exported model stores its weights in and computes with.</summary>
public enum OnnxPrecision
{
    /// <summary>Weights and computation in float32: the numbers of the engine.</summary>
    Float32,

    /// <summary>Weights, computation, past key values and logits in float16, as Optimum's <c>--dtype fp16</c> writes them.</summary>
    Float16,

    /// <summary>
    /// Matrices in int8 with a scale for each output, multiplied (<c>MatMulInteger</c>) with activations that are quantized to 16 bits as
    /// they come, with a scale for each token: a text does not depend on its neighbours in a batch. Everything else in float32.
    /// </summary>
    Int8,

    /// <summary>
    /// Matrices in int4 with a scale and a zero point for each 32 inputs (<c>MatMulNBits</c> of ONNX Runtime); activations and everything
    /// else in float32.
    /// </summary>
    Int4,
}
