using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Gguf;

namespace MLTransfer.Torch.Exports;

/// <summary>The matrices of LoRA adapters as llama.cpp has them: <c>NAME.weight.lora_a</c> [rank, in] and <c>.lora_b</c> [out,
/// rank].</summary>
internal static class GgufAdapterTensors
{
    /// <summary>All matrices, in float32.</summary>
    /// <param name="model">A network with adapters.</param>
    /// <param name="parameters">What its parameters are called in a file.</param>
    /// <param name="isAlone">Whether no file of the model, with all else that was trained, is written beside them.</param>
    /// <exception cref="NotSupportedException">More was trained than adapters of that kind.</exception>
    public static List<GgufOutput> Of(TransformerNetwork model, IReadOnlyList<GgufParameter> parameters, bool isAlone)
    {
        var options = model.Lora!;
        if (options.WeightDecomposed)
            throw Refused("the adapters have magnitudes (DoRA)");
        if (isAlone && options.TrainedTokens.Count > 0)
            throw Refused("rows of tokens were trained");
        if (isAlone && model.named_parameters().Any(parameter => parameter.parameter.requires_grad))
            throw Refused("whole layers were trained beside adapters");
        return [.. model.AdaptedLayers().SelectMany(layer => Of(layer.Name, layer.Layer, options, parameters))];
    }

    private static IEnumerable<GgufOutput> Of(
        string name, Linear layer, LoraOptions options, IReadOnlyList<GgufParameter> parameters)
    {
        var places = parameters.Where(parameter => parameter.Parameter == name + ".weight").ToList();
        if (places is not [var place] || place.Stored == GgufParameters.TokenTable)
            throw Refused($"the layer '{name}' has an adapter, and its weight is the table of tokens as well");
        var adapter = layer.Adapter!;

        // llama.cpp multiplies with alpha / rank: what the adapter's own factor is beyond that goes into B.
        var ratio = adapter.Scale / (options.Alpha / adapter.A.shape[0]);
        yield return new(place.Stored + ".lora_a", GgufTensorType.F32, adapter.A.shape, () => adapter.A.detach());
        yield return new(
            place.Stored + ".lora_b", GgufTensorType.F32, adapter.B.shape,
            () => (place with { Layout = WeightLayout.OutputByInput })
                .ToStored(ratio == 1 ? adapter.B.detach() : adapter.B.detach() * ratio));
    }

    private static NotSupportedException Refused(string what) => new(
        $"The adapters cannot be written apart: {what}, for which such files have no place. Merge them "
        + $"({nameof(GgufAdapter)}.{nameof(GgufAdapter.Merged)}).");
}
