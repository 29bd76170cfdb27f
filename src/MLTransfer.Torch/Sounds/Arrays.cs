using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Sounds;

internal static class Arrays
{
    /// <summary>A copy of a float32 tensor of two dimensions.</summary>
    public static float[,] ToArray(Tensor values)
    {
        using var plain = values.cpu().contiguous();
        var result = new float[values.shape[0], values.shape[1]];
        plain.data<float>().CopyTo(MemoryMarshal.CreateSpan(ref result[0, 0], result.Length));
        return result;
    }
}
