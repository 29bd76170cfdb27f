using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Attaches and merges the LoRA adapters of a network (arXiv 2106.09685).</summary>
public static class LowRankAdaptation
{
    /// <summary>Freezes the network and gives the target layers new adapters.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">What the adapters look like.</param>
    /// <param name="seed">Decides on their values; null draws them from libtorch's generator (see <c>torch.manual_seed</c>).</param>
    /// <exception cref="ArgumentException">A target matches no layer, or the network has adapters already.</exception>
    public static void Attach(GenerativeNetwork network, LoraOptions options, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        options = LoraTargets.Named(network, options);
        TrainedTokens.Modules(network, options); // refuses what does not fit before anything is changed
        using var generator = seed is { } number ? new Generator((ulong)number) : null;
        Attach(network, options,
        [
            .. LoraTargets.Find(network, options).Select(target => (
                target.Layer,
                LoraAdapter.Create(target.Name, target.Layer, options, network.DataType, network.Device, generator))),
        ]);
        TrainedTokens.Attach(network, options);
    }

    /// <summary>
    /// Adds every adapter's update to the weight it adapts, and drops the adapters. All parameters are trainable afterwards.
    /// </summary>
    public static void Merge(GenerativeNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        foreach (var (_, layer) in network.LinearLayers())
            layer.MergeAdapter();
        TrainedTokens.Merge(network);
        network.Lora = null;
        foreach (var parameter in network.parameters())
            parameter.requires_grad = true;
    }

    /// <summary>Freezes the network and gives layers their adapters.</summary>
    internal static void Attach(GenerativeNetwork network, LoraOptions options, IReadOnlyList<(Linear Layer, LoraAdapter Adapter)> adapters)
    {
        var trained = LoraTargets.TrainedParameters(network, options).ToHashSet();
        foreach (var (name, parameter) in network.named_parameters())
            parameter.requires_grad = trained.Contains(name);
        foreach (var (layer, adapter) in adapters)
            layer.Adapter = adapter;
        network.Lora = options;
    }
}
