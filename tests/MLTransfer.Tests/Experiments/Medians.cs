namespace MLTransfer.Tests.Experiments;

internal static class Medians
{
    public static double Of(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The median, and its standard error by drawing the values anew.</summary>
    public static (double Median, double StandardError) WithError(double[] values)
    {
        var random = new Random(1);
        var medians = Enumerable.Range(0, 300)
            .Select(_ => Of([.. values.Select(_ => values[random.Next(values.Length)])])).ToArray();
        var mean = medians.Average();
        return (Of(values), Math.Sqrt(medians.Average(median => (median - mean) * (median - mean))));
    }
}
