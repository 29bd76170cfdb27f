using MLTransfer.Onnx.Generation;

namespace MLTransfer;

/// <summary>How a transformer generates text with an ONNX export, and which columns it makes.</summary>
public sealed class OnnxTextGeneratorOptions : TextColumnsOptions
{
    /// <summary>
    /// The graph's file, as a path in the export's folder such as <c>onnx/model_quantized.onnx</c>; null for <c>model.onnx</c> or, where
    /// there is none, <c>onnx/model.onnx</c>.
    /// </summary>
    public string? ModelFile;

    /// <summary>The threads that compute one pass; 0 for one a physical core, as ONNX Runtime chooses. At most 1024.</summary>
    public int ThreadCount;

    internal OnnxRuntimeOptions ToRuntimeOptions() => new() { ModelFile = ModelFile, ThreadCount = ThreadCount };

    internal override void Check()
    {
        base.Check();
        ToRuntimeOptions().Check();
    }
}
