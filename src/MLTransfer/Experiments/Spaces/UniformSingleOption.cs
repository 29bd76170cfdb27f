namespace MLTransfer.Experiments;

/// <summary>A <see cref="float"/> of a range.</summary>
/// <param name="min">The smallest value.</param>
/// <param name="max">The largest value.</param>
/// <param name="logBase">Whether equal factors are equally likely.</param>
/// <param name="defaultValue">Where a search begins; null for the middle.</param>
public sealed class UniformSingleOption(float min, float max, bool logBase = false, float? defaultValue = null)
    : UniformNumericOption(min, max, logBase, defaultValue, 0)
{
    internal override Parameter ToParameter(double value) => Parameter.FromFloat(Math.Clamp((float)value, (float)Min, (float)Max));
}
