using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads.Images;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report.Images;

/// <summary>Times training and drawing of networks that write codes of pictures, the library's and the plain one in turn, and whether many
/// pictures make memory grow.</summary>
internal static class TextToImageCommand
{
    private const int ManyPictures = 64;

    public static int Run(Arguments arguments)
    {
        if (arguments.Threads is { } threads)
            set_num_threads(threads);
        Print($"{get_num_threads()} threads, medians of {arguments.Steps}");
        Print($"| work | library, pictures/s | plain TorchSharp, pictures/s | ratio |");
        Print($"|---|---|---|---|");
        Measure(tasks => tasks.Training(arguments.BatchSize), arguments.Steps);
        foreach (var pictures in (int[])[1, 8])
            Measure(tasks => tasks.Drawing(pictures), arguments.Steps);
        if (!arguments.Quick)
            MeasureGrowth(arguments.Steps);
        return 0;
    }

    private static void Measure(Func<PictureTasks, IEnumerable<PictureTask>> choose, int steps)
    {
        using var tasks = new PictureTasks();
        foreach (var task in choose(tasks))
        {
            var (library, plain) = (new List<double>(), new List<double>());
            for (var repetition = -1; repetition < steps; repetition++)
            {
                var times = (Library: SecondsOf(task.Library), Plain: SecondsOf(task.Plain));
                if (repetition < 0)
                    continue; // the first ones allocate and compile
                library.Add(times.Library);
                plain.Add(times.Plain);
            }

            var (ours, theirs) = (Spread.Of(library).Median, Spread.Of(plain).Median);
            Print($"| {task.Name} | {task.Pictures / ours:F2} | {task.Pictures / theirs:F2} | {theirs / ours:F2} |");
        }
    }

    private static void MeasureGrowth(int steps)
    {
        using var tasks = new PictureTasks();
        Print($"");
        Print($"| library, {ManyPictures} pictures at once | resident MB after the first time | after {steps} more |");
        Print($"|---|---|---|");
        foreach (var task in tasks.Drawing(ManyPictures).Concat(tasks.Training(ManyPictures)))
        {
            task.Library();
            var before = Environment.WorkingSet;
            for (var repetition = 0; repetition < steps; repetition++)
                task.Library();
            Print($"| {task.Name} | {before / 1e6:F0} | {Environment.WorkingSet / 1e6:F0} |");
        }
    }

    /// <summary>
    /// Of the process's own processor time where there is one thread, so that neighbours do not count; else of the clock.
    /// </summary>
    private static double SecondsOf(Action action)
    {
        var (processor, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        action();
        return get_num_threads() == 1 ? (Environment.CpuUsage.TotalTime - processor).TotalSeconds
            : Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
