using System.Numerics.Tensors;

namespace MLTransfer.Torch.Generation;

/// <summary>Classifier-free guidance (arXiv 2207.12598): what a caption changes, times a scale.</summary>
internal static class Guidance
{
    /// <summary>The scale that is at work: none where no row has a caption.</summary>
    public static float Of(double scale, IReadOnlyList<int[]?> captions) => captions.Any(caption => caption is not null) ? (float)scale : 1;

    /// <summary>target = free + scale (conditioned - free).</summary>
    public static void Combine(ReadOnlySpan<float> conditioned, ReadOnlySpan<float> free, float scale, Span<float> target)
    {
        TensorPrimitives.Subtract(conditioned, free, target);
        TensorPrimitives.MultiplyAdd(target, scale, free, target);
    }
}
