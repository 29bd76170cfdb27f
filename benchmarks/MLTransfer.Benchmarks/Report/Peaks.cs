using System.Diagnostics;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The limits of the machine at one moment.</summary>
/// <param name="Float32Gigaflops">Of libtorch's best float32 matrix product.</param>
/// <param name="BFloat16Gigaflops">Of libtorch's best bfloat16 matrix product.</param>
/// <param name="ReadGigabytesPerSecond">Of a sum over memory, on all threads.</param>
internal sealed record Peaks(double Float32Gigaflops, double BFloat16Gigaflops, double ReadGigabytesPerSecond)
{
    private const int Repetitions = 5;

    private static readonly long[] Sizes = [1024, 2048, 3072];

    public static Peaks Measure(string when)
    {
        Log.Say($"peaks, {when}");
        var peaks = new Peaks(MatrixProduct(ScalarType.Float32), MatrixProduct(ScalarType.BFloat16), ReadBandwidth.Measure());
        var (float32, bfloat16, read) = (peaks.Float32Gigaflops, peaks.BFloat16Gigaflops, peaks.ReadGigabytesPerSecond);
        Log.Say($"  {float32:F0} GFLOP/s float32, {bfloat16:F0} bf16, {read:F1} GB/s read");
        return peaks;
    }

    /// <summary>What the machine could do at its best moment, so that shares are never flattered.</summary>
    public static Peaks Best(Peaks a, Peaks b) => new(
        Math.Max(a.Float32Gigaflops, b.Float32Gigaflops),
        Math.Max(a.BFloat16Gigaflops, b.BFloat16Gigaflops),
        Math.Max(a.ReadGigabytesPerSecond, b.ReadGigabytesPerSecond));

    public double Gigaflops(ScalarType type) => type == ScalarType.Float32 ? Float32Gigaflops : BFloat16Gigaflops;

    private static double MatrixProduct(ScalarType type)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return Sizes.Max(size =>
        {
            using var matrices = NewDisposeScope();
            var (a, b) = (randn(size, size).to(type), randn(size, size).to(type));
            mm(a, b).Dispose();
            var best = Enumerable.Range(0, Repetitions).Min(_ =>
            {
                var start = Stopwatch.GetTimestamp();
                mm(a, b).Dispose();
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            });
            return 2.0 * size * size * size / best / 1e9;
        });
    }
}
