using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>
/// The weight of a convolution: a parameter, or its length and its direction, which are trained apart (weight normalization,
/// arXiv 1602.07868). For inference the two are multiplied once, and laid out once as kernels read them.
/// </summary>
internal sealed class ConvolutionWeight : IDisposable
{
    /// <summary>What checkpoints call it where it is one.</summary>
    public const string Plain = "weight";

    /// <summary>What checkpoints call its length.</summary>
    public const string Length = "parametrizations.weight.original0";

    /// <summary>What checkpoints call its direction.</summary>
    public const string Direction = "parametrizations.weight.original1";

    private readonly Lock _folding = new();
    private readonly Parameter _weight;
    private readonly Parameter? _length;
    private Tensor? _folded;
    private Tensor? _packed;

    /// <param name="owner">The module that the parameters become part of.</param>
    /// <param name="name">The convolution's, inside of the owner; null where it is the owner.</param>
    /// <param name="weights">The owner's scope.</param>
    /// <param name="isNormalized">Whether length and direction are apart.</param>
    /// <param name="initialization">Of new weights.</param>
    /// <param name="shape">Lengths are taken over all dimensions but the first.</param>
    public ConvolutionWeight(
        nn.Module owner, string? name, WeightScope weights, bool isNormalized, Initialization initialization,
        params ReadOnlySpan<long> shape)
    {
        var (scope, prefix) = name is null ? (weights, "") : (weights.Scope(name), name + ".");
        if (!isNormalized)
        {
            _weight = scope.Take(Plain, initialization, shape);
            ModuleNode.Add(owner, prefix + Plain, _weight);
            return;
        }

        Span<long> lengths = stackalloc long[shape.Length];
        lengths.Fill(1);
        lengths[0] = shape[0];
        _length = scope.Take(Length, Initialization.Ones, lengths);
        _weight = scope.Take(Direction, initialization, shape);
        if (weights.IsNew)
        {
            using var gradients = no_grad();
            using var disposed = NewDisposeScope();
            _length.copy_(Norm(_weight));
        }

        ModuleNode.Add(owner, prefix + Length, _length);
        ModuleNode.Add(owner, prefix + Direction, _weight);
    }

    /// <summary>What older checkpoints call length and direction, and what they are called now.</summary>
    public static string TodaysName(string name) => name
        .Replace(".weight_g", "." + Length, StringComparison.Ordinal)
        .Replace(".weight_v", "." + Direction, StringComparison.Ordinal);

    /// <summary>The weight.</summary>
    /// <param name="training">Whether gradients go to the parameters; else the product is made once and kept.</param>
    public Tensor Value(bool training)
    {
        if (_length is null)
            return _weight;
        if (training)
            return Product();
        lock (_folding)
        {
            if (_folded is { } folded && folded.device == _weight.device)
                return folded;
            using var gradients = no_grad();
            return _folded = Product().DetachFromDisposeScope();
        }
    }

    /// <summary>The weight for inference as kernels on the CPU read it.</summary>
    /// <param name="pack">Lays it out; called once, until <see cref="Forget"/>.</param>
    public Tensor Packed(Func<Tensor, Tensor> pack)
    {
        lock (_folding)
        {
            if (_packed is { } packed)
                return packed;
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            return _packed = pack(_length is null ? _weight : Product()).DetachFromDisposeScope();
        }
    }

    /// <summary>Forgets what was made of parameters, since they have changed or will.</summary>
    public void Forget()
    {
        lock (_folding)
            (_folded, _packed) = (null, null); // calls under way may still read them
    }

    /// <summary>Frees what was made of parameters: for one who knows that no other thread computes with them.</summary>
    public void Free()
    {
        lock (_folding)
        {
            _folded?.Dispose();
            _packed?.Dispose();
            (_folded, _packed) = (null, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Free();

    /// <summary>The weight of a length, [n, 1, ...], and a direction, [n, ...].</summary>
    public static Tensor Fold(Tensor length, Tensor direction)
    {
        using var scope = NewDisposeScope();
        return (direction * (length / Norm(direction))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The Euclidean norm over all dimensions but the first: [n, 1, ...]. Summed in float64, it does not depend on the width of a
    /// processor's vectors.
    /// </summary>
    public static Tensor Norm(Tensor weight)
    {
        using var scope = NewDisposeScope();
        long[] others = [.. Enumerable.Range(1, (int)weight.dim() - 1).Select(d => (long)d)];
        return weight.to(ScalarType.Float64).square().sum(others, keepdim: true).sqrt().to(weight.dtype).MoveToOuterDisposeScope();
    }

    private Tensor Product() => Fold(_length!, _weight);
}
