using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Leaves a network's adapters out of what it computes, until it is disposed. They stay as they are.</summary>
internal sealed class AdapterSwitch : IDisposable
{
    private readonly IReadOnlyList<(Linear Layer, LoraAdapter Adapter)> _adapters;

    private AdapterSwitch(GenerativeNetwork network)
    {
        _adapters = [.. network.AdaptedLayers().Select(layer => (layer.Layer, layer.Layer.Adapter!))];
        foreach (var (layer, _) in _adapters)
            layer.Adapter = null;
    }

    /// <summary>Switches the adapters off. Nothing else may use the network meanwhile.</summary>
    public static AdapterSwitch Off(GenerativeNetwork network) => new(network);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (layer, adapter) in _adapters)
            layer.Adapter = adapter;
    }
}
