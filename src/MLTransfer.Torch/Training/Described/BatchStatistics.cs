using MLTransfer.Torch.Networks.Described;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Parts of a network that mix the rows of a batch while it trains, and gather what they found.</summary>
internal static class BatchStatistics
{
    private const string Gathered = "running_mean";

    /// <summary>The first such part by name; null for none.</summary>
    public static string? FindIn(TransferNetwork network)
    {
        if (network.NewLayers.Layers.Index().FirstOrDefault(layer => layer.Item.Layer is BatchNormalizationLayer) is
            { Item: not null } added)
        {
            return $"new layer {added.Index}";
        }

        if (network.Pretrained is not { IsTrainable: true } pretrained)
            return null;
        if (pretrained is not ModuleBaseNetwork { Module: var module })
        {
            return pretrained.Buffers.Select(buffer => buffer.Key)
                .FirstOrDefault(name => name.EndsWith(Gathered, StringComparison.Ordinal));
        }

        network.SetTraining(true);
        var part = module.named_modules().Append(("the module", module)).FirstOrDefault(part =>
            part.Item2.training && part.Item2.named_buffers(recurse: false).Any(buffer => buffer.name == Gathered)).Item1;
        network.SetTraining(false);
        return part;
    }
}
