using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

/// <summary>
/// Random tensors that a device computes by itself from one number of a generator, which is the processor's: each element is a hash of its
/// place (the finalizer of SplitMix64, as <see cref="SplitMix64"/> has it).
/// </summary>
internal static class HashedDraws
{
    private const double Range = 1L << 53;

    /// <summary>1 with a probability and else 0, for each element of a tensor of the shape, type and device of another.</summary>
    /// <param name="like">The other.</param>
    /// <param name="probability">Of 1.</param>
    /// <param name="generator">Gives one number.</param>
    public static Tensor Bernoulli(Tensor like, double probability, Generator generator)
    {
        using var scope = NewDisposeScope();
        var seed = empty(1, ScalarType.Int64).random_(0, 1L << 53, generator).item<long>();
        var hash = arange(like.numel(), ScalarType.Int64, like.device).add_(1).mul_(unchecked((long)0x9E3779B97F4A7C15)).add_(seed);
        hash = Mixed(Mixed(hash, 30, unchecked((long)0xBF58476D1CE4E5B9)), 27, unchecked((long)0x94D049BB133111EB));
        var number = Shifted(hash.bitwise_xor(Shifted(hash, 31)), 11); // [0, 2^53)
        return number.lt((long)(probability * Range)).to(like.dtype).view(like.shape).MoveToOuterDisposeScope();
    }

    private static Tensor Mixed(Tensor bits, int shift, long factor) => bits.bitwise_xor(Shifted(bits, shift)).mul_(factor);

    /// <summary>Shifts without the sign, which libtorch's shift of int64 copies.</summary>
    private static Tensor Shifted(Tensor bits, int shift) => bits.bitwise_right_shift(tensor(shift, ScalarType.Int64, bits.device))
        .bitwise_and_(tensor((1L << (64 - shift)) - 1, device: bits.device));
}
