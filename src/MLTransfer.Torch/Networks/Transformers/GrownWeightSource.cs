using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>
/// The parameters of a network for one with more tokens: tables, output heads and their biases have further rows, the mean of those of the
/// tokens that there were; all else is shared.
/// </summary>
/// <param name="network">The network, without adapters.</param>
/// <param name="vocabulary">The names of what has a row, or a number, for each token.</param>
/// <param name="known">How many tokens there were. Rows behind them, which no token had, become the mean too.</param>
/// <param name="size">The number of tokens now.</param>
internal sealed class GrownWeightSource(TransformerNetwork network, IReadOnlySet<string> vocabulary, int known, int size) : WeightSource
{
    /// <summary>The elements that a sum is made of at once: it is in float32.</summary>
    private const long ChunkElements = 1 << 22;

    private readonly Dictionary<string, Tensor> _tensors = network.CheckpointTensors().ToDictionary();

    public override bool IsNew => false;

    public override ScalarType DataType => network.DataType;

    public override bool Contains(string name) => _tensors.ContainsKey(name);

    public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var tensor = _tensors[name].detach();
        if (vocabulary.Contains(name))
            tensor = Grow(tensor, shape.ToArray());
        return new Parameter(tensor.DetachFromDisposeScope(), requires_grad: true);
    }

    private Tensor Grow(Tensor tensor, long[] shape)
    {
        var grown = empty(shape, tensor.dtype, tensor.device);
        if (tensor.device_type == TorchSharp.DeviceType.META)
            return grown;
        var rows = tensor.dim() == 2 && tensor.shape[0] > 1 ? 0 : tensor.dim() - 1; // a bias may be stored as one row
        grown.narrow(rows, 0, tensor.shape[rows]).copy_(tensor);
        var added = grown.narrow(rows, known, size - known);
        added.copy_(Mean(tensor.narrow(rows, 0, known), rows).expand(added.shape));
        return grown;
    }

    private static Tensor Mean(Tensor rows, long dimension)
    {
        var (count, length) = (rows.shape[dimension], Math.Max(1, ChunkElements * rows.shape[dimension] / rows.numel()));
        long[] one = [.. rows.shape];
        one[dimension] = 1;
        var sum = zeros(one, ScalarType.Float32, rows.device);
        for (long start = 0; start < count; start += length)
        {
            using var chunk = NewDisposeScope();
            sum.add_(rows.narrow(dimension, start, Math.Min(length, count - start)).to(ScalarType.Float32).sum(dimension, keepdim: true));
        }

        return sum.div_(count);
    }
}
