using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Attaches and merges the LoRA adapters of a network (arXiv 2106.09685).</summary>
public static class LowRankAdaptation
{
    private const string AllLinear = "all-linear";

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
        var targets = options.TargetModules ?? network.DefaultLoraTargets;
        options = options with { TargetModules = targets };
        using var generator = seed is { } number ? new Generator((ulong)number, network.Device) : null;
        Attach(network, options,
        [
            .. Targets(network, targets).Select(target => (
                target.Layer, LoraAdapter.Create(target.Layer, options, network.DataType, network.Device, generator))),
        ]);
    }

    /// <summary>
    /// Adds every adapter's update to the weight it adapts, and drops the adapters. All parameters are trainable afterwards.
    /// </summary>
    public static void Merge(GenerativeNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        foreach (var (_, layer) in network.LinearLayers())
            layer.MergeAdapter();
        network.Lora = null;
        foreach (var parameter in network.parameters())
            parameter.requires_grad = true;
    }

    /// <summary>Freezes the network and gives layers their adapters.</summary>
    internal static void Attach(GenerativeNetwork network, LoraOptions options, IReadOnlyList<(Linear Layer, LoraAdapter Adapter)> adapters)
    {
        foreach (var parameter in network.parameters())
            parameter.requires_grad = false;
        foreach (var (layer, adapter) in adapters)
            layer.Adapter = adapter;
        network.Lora = options;
    }

    /// <summary>The layers that <paramref name="targetModules"/> names.</summary>
    /// <exception cref="ArgumentException">A target matches no layer, or the network has adapters already.</exception>
    internal static IReadOnlyList<(string Name, Linear Layer)> Targets(GenerativeNetwork network, IReadOnlyList<string> targetModules)
    {
        network.ThrowIfQuantized("adapted");
        if (network.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters already. Merge them first.", nameof(network));

        var layers = network.LinearLayers().ToList();
        if (layers.Count == 0)
            throw new ArgumentException("The model has no linear layer that an adapter could be put on.", nameof(network));
        foreach (var target in targetModules.Where(t => t != AllLinear && !layers.Any(l => Matches(l.Name, t))))
        {
            var names = layers.Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct();
            throw new ArgumentException(
                $"LoRA target module '{target}' matches no linear layer of the model. Its layers are named {string.Join(", ", names)}.",
                nameof(targetModules));
        }

        if (targetModules.FirstOrDefault(t => t != AllLinear && layers.Any(l => network.IsOutputHead(l.Name) && Matches(l.Name, t))) is
            { } head)
            throw new ArgumentException(
                $"LoRA target module '{head}' is the output head, which takes no adapter. Leave it out.", nameof(targetModules));
        return [.. layers.Where(l => targetModules.Any(t => t == AllLinear ? !network.IsOutputHead(l.Name) : Matches(l.Name, t)))];
    }

    private static bool Matches(string name, string target) => name == target || name.EndsWith("." + target, StringComparison.Ordinal);
}
