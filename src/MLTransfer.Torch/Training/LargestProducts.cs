using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics.Calibration;

namespace MLTransfer.Torch.Training;

/// <summary>The products that a training of a network spends most on.</summary>
internal static class LargestProducts
{
    /// <summary>The kind of linear layer that has most weights in all, output heads aside; null where there is none.</summary>
    public static ProductShape? Of(GenerativeNetwork network) =>
        (from layer in network.LinearLayers()
        where !network.IsOutputHead(layer.Name)
        group layer by (layer.Layer.InputWidth, layer.Layer.OutputWidth) into kind
        orderby (long)kind.Key.InputWidth * kind.Key.OutputWidth * kind.Count() descending, kind.Key.InputWidth
        select new MatrixShape(kind.Key.InputWidth, kind.Key.OutputWidth)).FirstOrDefault();

    /// <summary>The convolutions of the resolution that has most multiplications.</summary>
    public static ProductShape Of(StyleGan2Model model)
    {
        var sizes = StyleGan2Configuration.Parse(model.Configuration, "config.json").Generator;
        return StyleGan2Configuration.Resolutions(sizes.ImageResolution)
            .Select(resolution => new ConvolutionShape(sizes.Synthesis.Channels(resolution), resolution))
            .MaxBy(shape => shape.Multiplications)!;
    }
}
