using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>Tensors of a checkpoint that are not trained.</summary>
internal static class WeightBuffers
{
    /// <summary>Takes a tensor and registers it as a buffer of the module.</summary>
    public static Tensor TakeBuffer(
        this nn.Module module, WeightScope weights, string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        var buffer = weights.Take(name, initialization, shape);
        buffer.requires_grad = false;
        module.register_buffer(name, buffer);
        return buffer;
    }
}
