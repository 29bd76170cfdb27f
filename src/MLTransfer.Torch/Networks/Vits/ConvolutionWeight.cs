using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// The weight of a convolution: one parameter, or a length for each slice of the first dimension and a direction (weight normalization,
/// arXiv 1602.07868), under the names that PyTorch gives parametrizations.
/// </summary>
internal sealed class ConvolutionWeight
{
    public const string Plain = "weight";
    public const string LengthName = "parametrizations.weight.original0";
    public const string DirectionName = "parametrizations.weight.original1";

    private readonly Parameter? _weight;
    private readonly Parameter? _length;
    private readonly Parameter? _direction;

    /// <param name="owner">The module that gets the parameters.</param>
    /// <param name="weights">Has them.</param>
    /// <param name="isNormalized">Whether length and direction are kept apart.</param>
    /// <param name="initialization">Of a new weight; its direction, where they are apart.</param>
    /// <param name="shape">Of the weight.</param>
    public ConvolutionWeight(
        nn.Module owner, WeightScope weights, bool isNormalized, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        if (!isNormalized)
        {
            owner.register_parameter(Plain, _weight = weights.Take(Plain, initialization, shape));
            return;
        }

        var lengths = new long[shape.Length];
        lengths.AsSpan().Fill(1);
        lengths[0] = shape[0];
        _direction = weights.Take(DirectionName, initialization, shape);
        _length = weights.Take(LengthName, Initialization.Ones, lengths);
        if (weights.IsNew)
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            _length.copy_(Norm(_direction));
        }

        ModuleNode.Add(owner, LengthName, _length);
        ModuleNode.Add(owner, DirectionName, _direction);
    }

    /// <summary>The weight that a convolution multiplies with; a new tensor where it is normalized.</summary>
    public Tensor Value() => _weight ?? Fold(_length!, _direction!);

    /// <summary>The weight of a length, [n, 1, ...], and a direction, [n, ...].</summary>
    public static Tensor Fold(Tensor length, Tensor direction)
    {
        using var scope = NewDisposeScope();
        return (direction * (length / Norm(direction))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The lengths of a tensor's slices: [n, ...] to [n, 1, ...]. Summed in float64, they do not depend on the width of a processor's
    /// vectors.
    /// </summary>
    public static Tensor Norm(Tensor direction)
    {
        using var scope = NewDisposeScope();
        long[] shape = [direction.shape[0], .. Enumerable.Repeat(1L, (int)direction.dim() - 1)];
        return direction.reshape(direction.shape[0], -1).to(ScalarType.Float64).square().sum(1).sqrt().to(direction.dtype).view(shape)
            .MoveToOuterDisposeScope();
    }
}
