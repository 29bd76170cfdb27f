namespace MLTransfer.Experiments;

/// <summary>A whole number of a range.</summary>
/// <param name="min">The smallest value.</param>
/// <param name="max">The largest value, which is among them.</param>
/// <param name="logBase">Whether equal factors are equally likely.</param>
/// <param name="defaultValue">Where a search begins; null for the middle.</param>
/// <param name="stepSize">The distance between values, from <paramref name="min"/> on.</param>
public sealed class UniformIntOption(int min, int max, bool logBase = false, int? defaultValue = null, int stepSize = 1)
    : UniformNumericOption(min, max, logBase, defaultValue, Math.Max(1, stepSize))
{
    internal override Parameter ToParameter(double value) => Parameter.FromInt((int)Math.Round(value));
}
