using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Attaches, merges and lists the LoRA adapters of a model.</summary>
public static class LowRankAdaptation
{
    private const string AllLinear = "all-linear";

    /// <summary>Freezes the model and gives the target layers new adapters, drawn with libtorch's generator.</summary>
    /// <exception cref="ArgumentException">A target matches no layer, or the model has adapters already.</exception>
    public static void Attach(CausalLanguageModel model, LoraOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Attach(model, options,
        [
            .. Targets(model, options.TargetModules).Select(target => (
                target.Layer,
                LoraAdapter.Create(target.Layer, options.Rank, options.Scale, options.Dropout, model.DataType, model.Device))),
        ]);
    }

    /// <summary>Adds every adapter's update to the weight it adapts, and drops the adapters. All parameters are trainable afterwards.</summary>
    public static void Merge(CausalLanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var (_, layer) in LinearLayers(model))
            layer.MergeAdapter();
        model.Lora = null;
        foreach (var parameter in model.parameters())
            parameter.requires_grad = true;
    }

    /// <summary>The adapted layers by name, such as <c>transformer.h.0.attn.c_attn</c>.</summary>
    internal static IEnumerable<(string Name, Linear Layer)> AdaptedLayers(CausalLanguageModel model) =>
        LinearLayers(model).Where(l => l.Layer.Adapter is not null);

    /// <summary>The matrices of all adapters under the names that peft gives them, less its prefix.</summary>
    internal static IEnumerable<(string name, Parameter parameter)> AdapterParameters(CausalLanguageModel model)
    {
        foreach (var (name, layer) in AdaptedLayers(model))
        {
            yield return ($"{name}.lora_A.weight", layer.Adapter!.A);
            yield return ($"{name}.lora_B.weight", layer.Adapter!.B);
        }
    }

    /// <summary>Freezes the model and gives layers their adapters.</summary>
    internal static void Attach(CausalLanguageModel model, LoraOptions options, IReadOnlyList<(Linear Layer, LoraAdapter Adapter)> adapters)
    {
        foreach (var parameter in model.parameters())
            parameter.requires_grad = false;
        foreach (var (layer, adapter) in adapters)
            layer.Adapter = adapter;
        model.Lora = options;
    }

    /// <summary>The layers that <paramref name="targetModules"/> names.</summary>
    /// <exception cref="ArgumentException">A target matches no layer, or the model has adapters already.</exception>
    internal static IReadOnlyList<(string Name, Linear Layer)> Targets(CausalLanguageModel model, IReadOnlyList<string> targetModules)
    {
        WeightQuantization.ThrowIfQuantized(model, "adapted");
        if (model.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters already. Merge them first.", nameof(model));

        var layers = LinearLayers(model).ToList();
        foreach (var target in targetModules.Where(t => t != AllLinear && !layers.Any(l => Matches(l.Name, t))))
        {
            var names = layers.Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct();
            throw new ArgumentException(
                $"LoRA target module '{target}' matches no linear layer of the model. Its layers are named {string.Join(", ", names)}.",
                nameof(targetModules));
        }

        return [.. layers.Where(l => targetModules.Any(t => Matches(l.Name, t)))];
    }

    private static bool Matches(string name, string target) =>
        target == AllLinear ? name != "lm_head" : name == target || name.EndsWith("." + target, StringComparison.Ordinal);

    private static IEnumerable<(string Name, Linear Layer)> LinearLayers(CausalLanguageModel model) =>
        model.named_modules().Where(m => m.module is Linear).Select(m => (m.name, (Linear)m.module));
}
