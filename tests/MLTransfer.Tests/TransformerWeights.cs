using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Tests;

internal static class TransformerWeights
{
    /// <summary>All weights as a safetensors file.</summary>
    public static byte[] Bytes(TextGeneratorTransformer model)
    {
        using var memory = new MemoryStream();
        SafetensorsWriter.Write(memory, model.Model.Network.CheckpointTensors());
        return memory.ToArray();
    }
}
