using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The noise of one pass through the synthesis network.</summary>
/// <param name="Mode">Where noise comes from.</param>
/// <param name="Random">What random noise is drawn with; libtorch's default generator where null.</param>
internal readonly record struct NoiseSource(NoiseMode Mode, Generator? Random = null)
{
    /// <summary>The maps that stand in for the layers' constant ones, [N, 1, R, R] each; null where <see cref="Mode"/> decides.</summary>
    public IReadOnlyDictionary<Tensor, Tensor>? Maps { get; init; }

    /// <summary>Noise for a layer: [N, 1, R, R], or [R, R] for the constant one, or null.</summary>
    public Tensor? Draw(Tensor constant, long batch) => Maps is { } maps ? maps[constant] : Mode switch
    {
        NoiseMode.Random => SeededTensors.Normal([batch, 1, .. constant.shape], constant.dtype, constant.device, Random),
        NoiseMode.Constant => constant,
        NoiseMode.None => null,
        _ => throw new ArgumentOutOfRangeException(nameof(constant), Mode, "Unknown noise mode."),
    };
}
