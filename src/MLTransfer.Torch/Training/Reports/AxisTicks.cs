using System.Globalization;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>Where an axis is marked.</summary>
internal static class AxisTicks
{
    /// <summary>About six round numbers, the first and the last around all values.</summary>
    public static double[] Around(IEnumerable<double> values)
    {
        var (minimum, maximum) = (0.0, 1.0);
        if (values.Any())
            (minimum, maximum) = (values.Min(), values.Max());
        if (maximum - minimum < 1e-9 * Math.Max(1, Math.Abs(maximum)))
            (minimum, maximum) = (minimum - 0.5, maximum + 0.5);
        var rough = (maximum - minimum) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 };
        var first = Math.Floor(minimum / step);
        return [.. Enumerable.Range(0, (int)(Math.Ceiling(maximum / step) - first) + 1).Select(i => (first + i) * step)];
    }

    public static string Format(double value) => value.ToString("G5", CultureInfo.InvariantCulture);
}
