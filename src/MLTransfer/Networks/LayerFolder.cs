using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;

namespace MLTransfer.Networks;

/// <summary>
/// Writes a network that consists of described layers as a folder with <c>layers.json</c> and <c>model.safetensors</c>, which
/// <c>PretrainedNetwork.Layers</c> reads. Pretrained and new layers become one list.
/// </summary>
internal static class LayerFolder
{
    public const string LayersFile = "layers.json";

    private const string WeightsFile = "model.safetensors";

    /// <exception cref="NotSupportedException">The pretrained network is no list of described layers.</exception>
    public static void Write(string folder, TransferNetwork network, WeightType weightType)
    {
        LayerSequence[] parts = network.Pretrained switch
        {
            null => [network.NewLayers],
            ModuleBaseNetwork { Module: LayerSequence pretrained } => [pretrained, network.NewLayers],
            var other => throw new NotSupportedException(
                $"A model's folder holds described layers, which {other.Description} is not made of. Save the network to a "
                + "model file (zip) or export it to ONNX."),
        };
        var modules = parts.SelectMany(part => part.Layers).ToList();
        var layers = modules.Select((module, index) => module.Layer with { Name = $"{index}" }).ToList();
        File.WriteAllText(Path.Combine(folder, LayersFile), LayerJson.Write(layers));
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), modules.SelectMany(
            (module, index) => module.state_dict().Select(tensor => KeyValuePair.Create($"{index}.{tensor.Key}", tensor.Value))),
            storeAs: weightType.ToScalarType());
    }
}
