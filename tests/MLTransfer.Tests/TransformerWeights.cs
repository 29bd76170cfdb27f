using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Tests;

internal static class TransformerWeights
{
    /// <summary>All weights as a safetensors file.</summary>
    public static byte[] Bytes(TextGeneratorTransformer model) => Bytes(model.Model.Network);

    /// <inheritdoc cref="Bytes(TextGeneratorTransformer)"/>
    public static byte[] Bytes(TransformerNetwork network)
    {
        using var memory = new MemoryStream();
        SafetensorsWriter.Write(memory, network.CheckpointTensors());
        return memory.ToArray();
    }
}
