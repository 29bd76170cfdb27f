using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>What a projection draws: from its seed alone, so that a picture is projected as it is without others beside it.</summary>
internal class ProjectionDraws(long seed)
{
    private const int SampleStream = 0;
    private const int NoiseMapStream = 1;
    private const int FirstStepStream = 2;

    /// <summary>z and, where the generator takes them, labels: [count, width] each.</summary>
    public virtual (Tensor Latents, Tensor? Labels) Samples(int count, int latentWidth, int labelWidth, Device device)
    {
        using var scope = NewDisposeScope();
        using var draws = new RandomDraws(seed, SampleStream);
        var latents = draws.Normal([count, latentWidth], device);
        var labels = labelWidth == 0
            ? null
            : eye(labelWidth, dtype: ScalarType.Float32).index_select(0, tensor(draws.Indices(count, labelWidth))).to(device);
        return (latents.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope());
    }

    /// <summary>The noise maps that are optimised, [1, 1, R, R] each, in the order of the layers.</summary>
    /// <param name="layers">Their names, and their noise maps in the model.</param>
    public virtual IReadOnlyList<Tensor> NoiseMaps(IReadOnlyList<(string Name, Tensor Map)> layers)
    {
        using var draws = new RandomDraws(seed, NoiseMapStream);
        return [.. layers.Select(layer => draws.Normal([1, 1, .. layer.Map.shape], layer.Map.device))];
    }

    /// <summary>The noise on w in a step, of deviation 1: [1, rows, width].</summary>
    public virtual Tensor StyleNoise(int step, long rows, long width, Device device)
    {
        using var draws = new RandomDraws(seed, FirstStepStream + step);
        return draws.Normal([1, rows, width], device);
    }
}
