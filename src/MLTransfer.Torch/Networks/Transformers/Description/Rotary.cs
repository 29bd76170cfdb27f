using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Rotary position embedding (arXiv 2104.09864): pairs of a head's values are turned by angles position · theta^(-2i /
/// width).</summary>
/// <param name="Width">How many of a head's first values are turned; the others stay.</param>
/// <param name="Theta">The base of the frequencies.</param>
/// <param name="Pairing">Which values are a pair.</param>
/// <param name="Scaling">Changes the frequencies for longer texts; null for nothing.</param>
internal sealed record Rotary(int Width, double Theta, Pairing Pairing, RotaryScaling? Scaling = null);

/// <summary>Which values are turned together.</summary>
internal enum Pairing
{
    /// <summary>i and i + width / 2.</summary>
    Halves,

    /// <summary>2i and 2i + 1 (GPT-J).</summary>
    Neighbours,
}

/// <summary>How frequencies are changed for longer texts than those of pretraining.</summary>
internal abstract record RotaryScaling
{
    /// <summary>Up to how many positions of a text the frequencies are the same; null where they never depend on its length.</summary>
    public virtual int? UnchangedLength => null;
}

/// <summary>All frequencies divided by a factor (arXiv 2306.15595).</summary>
internal sealed record LinearScaling(double Factor) : RotaryScaling;

/// <summary>A base that grows with the length of a pass beyond <paramref name="Original"/>.</summary>
internal sealed record DynamicScaling(double Factor, int Original) : RotaryScaling
{
    public override int? UnchangedLength => Original;
}

/// <summary>Low frequencies divided by a factor, high ones kept, those between interpolated (Llama 3.1).</summary>
internal sealed record Llama3Scaling(double Factor, double LowFactor, double HighFactor, int Original) : RotaryScaling;

/// <summary>YaRN (arXiv 2309.00071): a ramp over frequencies between two numbers of turns.</summary>
/// <param name="Factor">What low frequencies are divided by.</param>
/// <param name="FastTurns">Frequencies with more turns over <paramref name="Original"/> positions are kept.</param>
/// <param name="SlowTurns">Frequencies with fewer turns are divided.</param>
/// <param name="Truncate">Whether the ramp begins and ends at whole frequencies.</param>
/// <param name="AttentionFactor">What sines and cosines are multiplied with.</param>
/// <param name="Original">Positions of pretraining.</param>
internal sealed record YarnScaling(
    double Factor, double FastTurns, double SlowTurns, bool Truncate, double AttentionFactor, int Original) : RotaryScaling;

/// <summary>LongRoPE (arXiv 2402.13753): a divisor for each frequency, of one list up to a length and of another beyond it.</summary>
/// <param name="ShortFactors">Divisors of passes up to <paramref name="Original"/> positions.</param>
/// <param name="LongFactors">Divisors of longer passes, for all their positions.</param>
/// <param name="AttentionFactor">What sines and cosines are multiplied with, in both.</param>
/// <param name="Original">Positions of pretraining.</param>
internal sealed record LongRopeScaling(
    ImmutableArray<double> ShortFactors, ImmutableArray<double> LongFactors, double AttentionFactor, int Original) : RotaryScaling
{
    public override int? UnchangedLength => Original;
}
