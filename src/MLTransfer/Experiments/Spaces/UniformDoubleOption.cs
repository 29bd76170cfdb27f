namespace MLTransfer.Experiments;

/// <summary>A <see cref="double"/> of a range.</summary>
/// <param name="min">The smallest value.</param>
/// <param name="max">The largest value.</param>
/// <param name="logBase">Whether equal factors are equally likely.</param>
/// <param name="defaultValue">Where a search begins; null for the middle.</param>
/// <param name="stepSize">The distance between values, from <paramref name="min"/> on; 0 for any value.</param>
public sealed class UniformDoubleOption(double min, double max, bool logBase = false, double? defaultValue = null, double stepSize = 0)
    : UniformNumericOption(min, max, logBase, defaultValue, stepSize)
{
    internal override Parameter ToParameter(double value) => Parameter.FromDouble(value);
}
