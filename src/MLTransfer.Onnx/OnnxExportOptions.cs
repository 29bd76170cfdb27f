using MLTransfer.Torch.Generation;

namespace MLTransfer.Onnx;

/// <summary>What <c>OnnxExporter</c> writes.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>The number format of <c>model.onnx</c>.</summary>
    public OnnxPrecision Precision { get; init; }

    /// <summary>
    /// Uses ONNX Runtime's own operators (<c>MultiHeadAttention</c>, <c>SkipLayerNormalization</c>, <c>FastGelu</c>) instead of those of
    /// the ONNX standard. The file is smaller in nodes, and runs in ONNX Runtime only.
    /// </summary>
    public bool FusedOperators { get; init; }

    /// <summary>
    /// Keeps LoRA adapters apart in <c>adapter.onnx_data</c>, which <c>OnnxExporter.ReplaceAdapter</c> exchanges without touching the
    /// base model. Otherwise adapters are merged into the written weights.
    /// </summary>
    public bool SeparateAdapter { get; init; }

    /// <summary>
    /// Writes also <c>onnx/model.onnx</c> in float32 and <c>onnx/model_quantized.onnx</c> in int8, where transformers.js looks for them.
    /// Without it transformers.js loads the folder's <c>model.onnx</c> when it is told <c>subfolder: ''</c>.
    /// </summary>
    public bool TransformersJsFiles { get; init; }

    /// <summary>
    /// Of a decoder, writes also <c>model_without_past.onnx</c>, with the inputs <c>input_ids</c>, <c>attention_mask</c> and
    /// <c>position_ids</c> and the output <c>logits</c> alone, for hosts that feed no empty tensors, such as ML.NET's
    /// <c>ApplyOnnxModel</c>.
    /// </summary>
    /// <remarks>
    /// <c>ApplyOnnxModel</c> takes each input from a column of vectors of int64 with a known size, one row a batch of 1, and counts free
    /// dimensions as 1 unless its <c>shapeDictionary</c> tells them: [1, length] for the three inputs and [1, length, vocabulary] for
    /// <c>logits</c>. Shorter texts are padded to the length, with zeros in <c>attention_mask</c>.
    /// </remarks>
    public bool FileWithoutPast { get; init; }

    /// <summary>What <c>generation_config.json</c> proposes beside the ids of special tokens; null for nothing.</summary>
    public GenerationOptions? Generation { get; init; }

    /// <summary>
    /// Whether each written file's logits are compared with the engine's before the folder gets its name. ONNX Runtime opens each file,
    /// with all graph optimizations, in any case.
    /// </summary>
    public bool Check { get; init; } = true;

    /// <summary>From how many bytes of weights on they lie in a file of their own, because a protobuf message ends at 2 GiB.</summary>
    internal long ExternalDataFrom { get; init; } = 2_000_000_000;
}
