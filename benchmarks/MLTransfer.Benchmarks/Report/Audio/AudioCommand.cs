using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads.Audio;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report.Audio;

/// <summary>Times work on sounds, the library's and the plain one in turn, and prints how many times faster than real time each
/// is.</summary>
internal static class AudioCommand
{
    public static int Run(Arguments arguments)
    {
        if (arguments.Threads is { } threads)
            set_num_threads(threads);
        var tasks = EnCodecTasks.Create().Concat(VitsTasks.Create());
        Print($"{get_num_threads()} threads, medians of {arguments.Steps}");
        Print($"| work | library, times real time | plain TorchSharp, times real time | ratio |");
        Print($"|---|---|---|---|");
        foreach (var task in tasks)
        {
            var (library, plain) = (new List<double>(), new List<double>());
            for (var repetition = -1; repetition < arguments.Steps; repetition++)
            {
                var times = (Library: SecondsOf(task.Library), Plain: SecondsOf(task.Plain));
                if (repetition < 0)
                    continue; // the first ones allocate and compile
                library.Add(times.Library);
                plain.Add(times.Plain);
            }

            var (ours, theirs) = (Spread.Of(library).Median, Spread.Of(plain).Median);
            Print($"| {task.Name} | {task.Seconds / ours:F1} | {task.Seconds / theirs:F1} | {theirs / ours:F2} |");
        }

        return 0;
    }

    /// <summary>
    /// Of the process's own processor time where there is one thread, so that neighbours do not count; else of the clock.
    /// </summary>
    private static double SecondsOf(Action action)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, start) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        action();
        process.Refresh();
        return get_num_threads() == 1 ? (process.TotalProcessorTime - processor).TotalSeconds
            : Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
