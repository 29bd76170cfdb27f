using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>What the largest products of a network are of.</summary>
internal abstract record ProductShape
{
    /// <summary>Beside a product: an activation, a norm, sums, masks, and their gradients.</summary>
    private const int ShortOperations = 20;

    /// <summary>Enough for libtorch to share them out.</summary>
    private const int ShortOperationElements = 1 << 17;

    /// <summary>Below this many multiplications of what is smallest, a row or an image, other things take the time.</summary>
    public abstract bool IsWorthMeasuring { get; }

    /// <summary>Makes operands and returns what computes their products as a training does.</summary>
    /// <param name="multiplications">Of the forward pass, nearly.</param>
    /// <param name="type">What is computed in.</param>
    public abstract Action Prepare(double multiplications, ScalarType type);

    /// <summary>
    /// The same with what a network does beside its products: short operations, for each of which threads begin and wait for each other.
    /// </summary>
    public Action PrepareWithShortOperations(double multiplications, ScalarType type)
    {
        var product = Prepare(multiplications, type);
        var features = ones([ShortOperationElements], type);
        return () =>
        {
            using var gradients = no_grad();
            product();
            for (var i = 0; i < ShortOperations; i++)
                features.mul_(1);
        };
    }
}
