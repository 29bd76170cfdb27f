using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>Where the styles of a generator lie.</summary>
/// <param name="Mean">[style width].</param>
/// <param name="Deviation">The root of the mean squared distance from it.</param>
internal sealed record StyleStatistics(float[] Mean, double Deviation)
{
    private const int RowsAtOnce = 1024;

    /// <summary>Measures them on drawn latent vectors.</summary>
    public static StyleStatistics Of(StyleGan2Generator generator, ProjectionDraws draws, int count)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (latents, labels) = draws.Samples(count, generator.LatentWidth, generator.LabelWidth, generator.Device);
        var parts = new List<Tensor>();
        for (var start = 0; start < count; start += RowsAtOnce)
        {
            var rows = Math.Min(RowsAtOnce, count - start);
            parts.Add(generator.Mapping.Forward(latents.narrow(0, start, rows), labels?.narrow(0, start, rows)));
        }

        var styles = cat(parts, 0);
        var mean = styles.mean([0]);
        var deviation = Math.Sqrt((styles - mean).square().sum(1).mean().item<float>());
        return new StyleStatistics([.. mean.cpu().data<float>()], deviation);
    }
}
