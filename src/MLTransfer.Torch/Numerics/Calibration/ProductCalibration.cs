using System.Globalization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>
/// Finds out what a network's products are fastest in and with, in at most a fifth of a second on a machine that is not busy.
/// </summary>
/// <remarks>
/// A processor's flags tell which instructions there are, not what they give: products of bfloat16 by AVX-512 BF16 without AMX may be half
/// as fast as those of float32, and libtorch may be kept from the instructions. What is usual is left only for what is clearly faster
/// (<see cref="Race.Threshold"/>), so that one machine comes to one choice.
/// </remarks>
internal static class ProductCalibration
{
    /// <summary>Few enough for a product without any instructions to take some milliseconds.</summary>
    private const double ProbeMultiplications = 1e7;

    /// <summary>Enough for a product to be as fast as large ones are.</summary>
    private const double Multiplications = 1e8;

    /// <summary>Of the one product that goes with short operations.</summary>
    private const double ThreadMultiplications = 3e7;

    /// <summary>A small product that differs by so much needs no larger one.</summary>
    private const double Clear = 3;

    private static readonly TimeSpan s_probeTime = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan s_typeTime = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan s_threadTime = TimeSpan.FromMilliseconds(50);

    /// <param name="shape">What is multiplied.</param>
    /// <param name="usual">The usual type.</param>
    /// <param name="mayChangeType">Whether float32 may be taken in its place.</param>
    /// <param name="threads">The usual number of threads.</param>
    /// <param name="mayChangeThreads">Whether another number may be taken.</param>
    public static ProductChoice Run(ProductShape shape, ScalarType usual, bool mayChangeType, int threads, bool mayChangeThreads)
    {
        using var scope = NewDisposeScope();
        using var count = new ThreadCount(threads);
        var findings = new List<string>();
        var type = mayChangeType ? FasterType(shape, usual, findings) : usual;
        if (mayChangeThreads)
            threads = FasterThreads(shape.PrepareWithShortOperations(ThreadMultiplications, type), threads, findings);
        return new(type, threads, $"{shape}: {string.Join(", ", findings)}");
    }

    /// <summary>Numbers of threads beside the usual one: as many as there are processors, and half of that.</summary>
    internal static IEnumerable<int> OtherThreads(int threads, int processors) =>
        new[] { Math.Min(threads, processors), Math.Min(threads, processors) / 2 }.Where(other => other > 0 && other != threads).Distinct();

    private static ScalarType FasterType(ProductShape shape, ScalarType usual, List<string> findings)
    {
        var gain = Measure(ProbeMultiplications, s_probeTime);
        if (gain is < Clear and > 1 / Clear)
            gain = Measure(Multiplications, s_typeTime);
        findings.Add(gain >= 1 ? Compare("float32", gain, Name(usual)) : Compare(Name(usual), 1 / gain, "float32"));
        return gain >= Race.Threshold ? ScalarType.Float32 : usual;

        double Measure(double multiplications, TimeSpan time) => new Race(time).Run(
            shape.Prepare(multiplications, usual), shape.Prepare(multiplications, ScalarType.Float32)).Undisturbed;
    }

    private static int FasterThreads(Action product, int threads, List<string> findings)
    {
        foreach (var other in OtherThreads(threads, Environment.ProcessorCount))
        {
            var gain = new Race(s_threadTime / 2).Run(With(threads), With(other)).Usual;
            findings.Add(gain >= 1 ? Compare(Threads(other), gain, $"{threads}") : Compare(Threads(threads), 1 / gain, $"{other}"));
            if (gain >= Race.Threshold)
                threads = other;
        }

        return threads;

        Action With(int number) => () =>
        {
            using var count = new ThreadCount(number);
            product();
        };
    }

    private static string Compare(string faster, double gain, string slower) =>
        string.Create(CultureInfo.InvariantCulture, $"{faster} {gain:0.0} times as fast as {slower}");

    private static string Name(ScalarType type) => type == ScalarType.BFloat16 ? "bfloat16" : "float32";

    private static string Threads(int number) => number == 1 ? "1 thread" : $"{number} threads";
}
