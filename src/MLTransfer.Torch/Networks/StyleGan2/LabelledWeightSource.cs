using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// The weights of a network without labels for one with them: what reads labels is new, the rest is a copy. The mapping network's first
/// layer reads labels beside latent vectors. Equalized layers divide by the root of their input's width, so that the columns of latent
/// vectors grow by that of the two widths' ratio: what they add up to stays.
/// </summary>
internal sealed class LabelledWeightSource(nn.Module network, WeightSource initialized) : WeightSource
{
    private readonly Dictionary<string, Tensor> _tensors = StyleGan2Model.CheckpointTensors(network).ToDictionary();

    public override bool IsNew => false;

    public override ScalarType DataType => initialized.DataType;

    public override bool Contains(string name) => true;

    public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
            return initialized.Take(name, initialization, shape);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (tensor.shape.AsSpan().SequenceEqual(shape))
            return new Parameter(tensor.detach().clone().DetachFromDisposeScope(), requires_grad: true);
        var fresh = initialized.Take(name, initialization, shape);
        if (shape is [var rows, var columns] && tensor.shape is [var oldRows, var oldColumns] && rows == oldRows && columns > oldColumns)
            fresh.narrow(1, 0, oldColumns).copy_(tensor * Math.Sqrt((double)columns / oldColumns)); // z before the label
        return fresh;
    }
}
