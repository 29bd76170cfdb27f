using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// Copies of a network's tensors for another network: a weight may be normalized there and not here, or the other way round, and a table
/// may have further rows there, which are the mean of those here.
/// </summary>
/// <param name="tensors">By name.</param>
/// <param name="initialized">What there is no tensor for; null where there must be one.</param>
internal sealed class TensorWeightSource(IEnumerable<KeyValuePair<string, Tensor>> tensors, WeightSource? initialized = null) : WeightSource
{
    private readonly Dictionary<string, Tensor> _tensors = tensors.ToDictionary();

    public override bool IsNew => false;

    public override ScalarType DataType => _tensors.First().Value.dtype;

    public override bool Contains(string name) => initialized is not null || Find(name) is not null;

    public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (Find(name) is not { } found)
        {
            return initialized?.Take(name, initialization, shape)
                ?? throw new InvalidOperationException($"The network has no parameter '{name}'.");
        }

        var tensor = found.detach();
        if (tensor.dim() == 2 && shape is [var rows, var width] && rows > tensor.shape[0] && width == tensor.shape[1])
            tensor = cat([tensor, tensor.mean([0], keepdim: true).expand(rows - tensor.shape[0], width)], 0);
        return new Parameter(tensor.clone().DetachFromDisposeScope(), requires_grad: true);
    }

    private Tensor? Find(string name)
    {
        if (_tensors.TryGetValue(name, out var tensor))
            return tensor;
        if (Plain(ConvolutionWeight.Length) is { } direction)
            return ConvolutionWeight.Norm(direction);
        if (Plain(ConvolutionWeight.Direction) is { } weight)
            return weight;
        return name.EndsWith("." + ConvolutionWeight.Plain, StringComparison.Ordinal)
            && _tensors.TryGetValue(name[..^ConvolutionWeight.Plain.Length] + ConvolutionWeight.Length, out var length)
            ? ConvolutionWeight.Fold(
                length, _tensors[name[..^ConvolutionWeight.Plain.Length] + ConvolutionWeight.Direction])
            : null;

        Tensor? Plain(string part) => name.EndsWith("." + part, StringComparison.Ordinal)
            ? _tensors.GetValueOrDefault(name[..^part.Length] + ConvolutionWeight.Plain) : null;
    }
}
