using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Exports;

/// <summary>The parameters of a network, one at a time, with or without the updates of its adapters.</summary>
/// <param name="network">The network, which stays as it is.</param>
/// <param name="merges">Whether adapters are merged into what is given.</param>
internal sealed class ExportedParameters(TransformerNetwork network, bool merges)
{
    private readonly Dictionary<string, Tensor> _tensors = network.CheckpointTensors().ToDictionary();
    private readonly Dictionary<string, Linear> _adapted =
        merges ? network.AdaptedLayers().ToDictionary(layer => layer.Name + ".weight", layer => layer.Layer) : [];

    public long[] ShapeOf(string name) => _tensors[name].shape;

    /// <summary>A parameter, in the layout of the checkpoint.</summary>
    public Tensor Read(string name) => _adapted.TryGetValue(name, out var layer) ? layer.MergedWeight() : _tensors[name].detach();
}
