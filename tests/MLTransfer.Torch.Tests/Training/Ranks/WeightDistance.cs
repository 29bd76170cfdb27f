using System.Numerics.Tensors;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Ranks;

internal static class WeightDistance
{
    /// <summary>The largest difference of two weights.</summary>
    public static float Of(float[] weights, float[] others)
    {
        Assert.Equal(weights.Length, others.Length);
        var differences = new float[weights.Length];
        TensorPrimitives.Subtract(weights, others, differences);
        return TensorPrimitives.MaxMagnitude<float>(differences) is var most && most < 0 ? -most : most;
    }
}
