using System.Globalization;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Adaptation;

/// <summary>The layers of a network that <see cref="LoraOptions"/> name.</summary>
internal static partial class LoraTargets
{
    public const string AllLinear = "all-linear";

    /// <summary>The options with the family's usual targets where they name none.</summary>
    public static LoraOptions Named(GenerativeNetwork network, LoraOptions options) =>
        options is { TargetModules: null, TargetPattern: null } ? options with { TargetModules = network.DefaultLoraTargets } : options;

    /// <summary>The layers that get an adapter, in the network's order.</summary>
    /// <exception cref="ArgumentException">A target matches no layer, or the network has adapters already.</exception>
    public static IReadOnlyList<(string Name, Linear Layer)> Find(GenerativeNetwork network, LoraOptions options)
    {
        network.ThrowIfQuantized("adapted");
        if (network.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters already. Merge them first.", nameof(network));

        var layers = network.LinearLayers().ToList();
        if (layers.Count == 0)
            throw new ArgumentException("The model has no linear layer that an adapter could be put on.", nameof(network));
        foreach (var target in (options.TargetModules ?? []).Where(t => t != AllLinear && !layers.Any(l => EndsWith(l.Name, t))))
        {
            throw new ArgumentException(
                $"LoRA target module '{target}' matches no linear layer of the model. Its layers are named {Names(layers)}.",
                nameof(options));
        }

        var found = layers.Where(layer => IsTarget(network, options, layer.Name)).ToList();
        if (found.Find(layer => network.IsOutputHead(layer.Name)) is { Name: { } head })
        {
            throw new ArgumentException(
                $"LoRA target module '{head}' is the output head, which takes no adapter. Leave it out, or train it whole "
                + $"({nameof(LoraOptions.TrainedModules)}).", nameof(options));
        }

        return found.Count > 0 ? found : throw new ArgumentException(
            $"LoRA adapters are put on no layer: {nameof(LoraOptions.TargetPattern)}, {nameof(LoraOptions.ExcludedModules)} and "
            + $"{nameof(LoraOptions.Blocks)} leave none. The model's layers are named {Names(layers)}.", nameof(options));
    }

    /// <summary>The names of the parameters that are trained whole beside the adapters.</summary>
    /// <exception cref="ArgumentException">A module's name matches none, or its matrix is shared.</exception>
    public static IEnumerable<string> TrainedParameters(GenerativeNetwork network, LoraOptions options)
    {
        var names = network.named_parameters().Select(parameter => parameter.name).ToList();
        foreach (var module in options.TrainedModules)
        {
            // as peft does: the end of a module's name, be there a dot before it or not
            var trained = names.FindAll(name => name[..Math.Max(0, name.LastIndexOf('.'))].EndsWith(module, StringComparison.Ordinal));
            if (trained.Count == 0)
            {
                throw new ArgumentException(
                    $"{nameof(LoraOptions.TrainedModules)} (modules_to_save) names '{module}', which is no module of the model with "
                    + $"parameters of its own. A head that is tied to the embedding is none. Names look like {names[0]}.", nameof(options));
            }

            if (trained.Find(network.IsShared) is { } shared)
            {
                throw new ArgumentException(
                    $"{nameof(LoraOptions.TrainedModules)} (modules_to_save) names '{module}', but '{shared}' is shared by two modules "
                    + "and cannot be trained for one of them.", nameof(options));
            }

            foreach (var name in trained)
                yield return name;
        }
    }

    private static bool IsTarget(GenerativeNetwork network, LoraOptions options, string name)
    {
        if (options.ExcludedModules.Any(excluded => EndsWith(name, excluded)))
            return false;
        if (options.TargetPattern is { } pattern)
            return NamePattern.IsWhole(pattern, name);
        return options.TargetModules!.Any(target => target == AllLinear ? !network.IsOutputHead(name) : EndsWith(name, target))
            && (options.Blocks is null || (BlockOf(network, name) is { } block && options.Blocks.Contains(block)));
    }

    private static int? BlockOf(GenerativeNetwork network, string name) => network.BlockOf(name)
        ?? (NumberOfBlock().Match(name) is { Success: true } match
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null);

    private static bool EndsWith(string name, string target) => name == target || name.EndsWith("." + target, StringComparison.Ordinal);

    private static string Names(IEnumerable<(string Name, Linear Layer)> layers) =>
        string.Join(", ", layers.Select(layer => layer.Name[(layer.Name.LastIndexOf('.') + 1)..]).Distinct());

    [GeneratedRegex(@"\.[^.]*\.(\d{1,6})\.", RegexOptions.RightToLeft)]
    private static partial Regex NumberOfBlock();
}
