namespace MLTransfer.Benchmarks.Report;

/// <summary>Repetitions of one measurement.</summary>
internal sealed record Spread(double Median, double Minimum, double Maximum, int Repetitions)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1], sorted.Length);
    }
}
