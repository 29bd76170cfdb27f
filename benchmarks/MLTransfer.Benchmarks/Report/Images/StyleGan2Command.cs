using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads.Images;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report.Images;

/// <summary>Times training steps of StyleGAN2, each variant's in turn, and prints a table.</summary>
internal static class StyleGan2Command
{
    // What a step contains on average: each kind of regularization once in so many steps.
    private const double PathLengthInterval = 4;
    private const double GradientPenaltyInterval = 16;

    public static int Run(Arguments arguments)
    {
        if (arguments.Threads is { } threads)
            set_num_threads(threads);
        foreach (var (resolution, channelBase) in (ReadOnlySpan<(int, int)>)[(32, 1024), (64, 2048)])
            Measure(resolution, channelBase, arguments.BatchSize, arguments.Steps);
        return 0;
    }

    private static void Measure(int resolution, int channelBase, int batchSize, int repetitions)
    {
        using var real = (randn(batchSize, 3, resolution, resolution) * 0.5).clamp_(-1, 1);
        var models = Enumerable.Range(0, 3).Select(_ => Create(resolution, channelBase)).ToArray();
        ImageTrainingVariant[] variants =
        [
            new PlainImageTraining(models[0], real),
            new LibraryImageTraining(models[1], real, Precision.Float32),
            new LibraryImageTraining(models[2], real, Precision.BFloat16),
        ];
        Print($"StyleGAN2 {resolution}x{resolution}, channel base {channelBase}, batch {batchSize}, {get_num_threads()} threads");
        Print($"Milliseconds, medians of {repetitions}");
        Print($"| variant | generator and discriminator | path length | R1 | average step | speed | growth MB |");
        Print($"|---|---|---|---|---|---|---|");
        var results = Times(variants, repetitions);
        for (var i = 0; i < variants.Length; i++)
        {
            var (both, pathLength, penalty, growth) = results[i];
            var (name, average, speed) = (variants[i].Name, Average(i), Average(0) / Average(i));
            Print($"| {name} | {both:F1} | {pathLength:F1} | {penalty:F1} | {average:F1} | {speed:F2} | {growth / 1e6:F0} |");
        }

        foreach (var variant in variants)
            variant.Dispose();
        foreach (var model in models)
            model.Dispose();

        double Average(int i) =>
            results[i].Both + results[i].PathLength / PathLengthInterval + results[i].Penalty / GradientPenaltyInterval;
    }

    private static (double Both, double PathLength, double Penalty, long Growth)[] Times(ImageTrainingVariant[] variants, int repetitions)
    {
        var times = variants.Select(_ => (Both: new List<double>(), PathLength: new List<double>(), Penalty: new List<double>())).ToArray();
        var growth = new long[variants.Length];
        for (var repetition = -2; repetition < repetitions; repetition++)
        {
            for (var i = 0; i < variants.Length; i++)
            {
                var resident = Resident();
                var both = Milliseconds(variants[i].UpdateBoth);
                var pathLength = Milliseconds(variants[i].RegularizeGenerator);
                var penalty = Milliseconds(variants[i].RegularizeDiscriminator);
                if (repetition < 0)
                    continue; // the first ones allocate
                times[i].Both.Add(both);
                times[i].PathLength.Add(pathLength);
                times[i].Penalty.Add(penalty);
                growth[i] += Resident() - resident;
            }
        }

        return [.. times.Select(
            (t, i) => (Spread.Of(t.Both).Median, Spread.Of(t.PathLength).Median, Spread.Of(t.Penalty).Median, growth[i]))];
    }

    /// <summary>
    /// Of the process's own processor time where there is one thread, so that neighbours do not count; else of the clock.
    /// </summary>
    private static double Milliseconds(Action action)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, start) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        action();
        process.Refresh();
        return get_num_threads() == 1 ? (process.TotalProcessorTime - processor).TotalMilliseconds
            : Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static StyleGan2Model Create(int resolution, int channelBase)
    {
        manual_seed(1);
        return StyleGan2Model.Create(
            StyleGan2Model.Configure(resolution, channelBase, channelMaximum: 128, latentWidth: 128, mappingLayers: 4));
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
