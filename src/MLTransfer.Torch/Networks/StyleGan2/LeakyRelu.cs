using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The activation of every layer: max(x, 0.2 x) times sqrt 2, which keeps the variance.</summary>
/// <remarks>
/// As a positive factor passes through it, layers multiply their weights with <see cref="Gain"/> instead of the larger activations.
/// </remarks>
internal static class LeakyRelu
{
    public const double Slope = 0.2;

    public static double Gain { get; } = Math.Sqrt(2);

    /// <summary>Overwrites the input where the slope is 1 or 0.2.</summary>
    /// <param name="scaled">The input, already times <see cref="Gain"/>; no one else may need its value.</param>
    /// <param name="limit">The largest magnitude that is let through; null for any.</param>
    public static Tensor Apply(Tensor scaled, double? limit = null)
    {
        var output = scaled.leaky_relu_(Slope);
        return limit is { } most ? output.clamp(-most, most) : output;
    }
}
