using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>What the largest products of a network are of.</summary>
internal abstract record ProductShape
{
    /// <summary>Below this many multiplications of what is smallest, a row or an image, other things take the time.</summary>
    public abstract bool IsWorthMeasuring { get; }

    /// <summary>Makes operands and returns what computes their products as a training does.</summary>
    /// <param name="multiplications">Of the forward pass, nearly.</param>
    /// <param name="type">What is computed in.</param>
    public abstract Action Prepare(double multiplications, ScalarType type);
}
