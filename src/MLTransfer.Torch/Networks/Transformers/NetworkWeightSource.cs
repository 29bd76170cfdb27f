using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The parameters of a network, adapters merged. Those that have the type already are shared with it.</summary>
internal sealed class NetworkWeightSource(GenerativeNetwork network, ScalarType dataType) : WeightSource
{
    private readonly Dictionary<string, Tensor> _tensors = network.CheckpointTensors().ToDictionary();
    private readonly Dictionary<string, Linear> _adapted = network.AdaptedLayers().ToDictionary(l => l.Name + ".weight", l => l.Layer);

    public override bool IsNew => false;

    public override ScalarType DataType => dataType;

    public override bool Contains(string name) => _tensors.ContainsKey(name);

    public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var tensor = _adapted.TryGetValue(name, out var layer) ? layer.MergedWeight() : _tensors[name].detach();
        return new Parameter(tensor.to(dataType).DetachFromDisposeScope(), requires_grad: false);
    }
}
