using System.Diagnostics;
using System.Globalization;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Says on stderr what is going on; stdout is for results.</summary>
internal static class Log
{
    private static readonly Stopwatch s_clock = Stopwatch.StartNew();

    public static TimeSpan Elapsed => s_clock.Elapsed;

    public static void Say(FormattableString message) => Console.Error.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"[{s_clock.Elapsed.TotalSeconds,6:F1} s] {message.ToString(CultureInfo.InvariantCulture)}"));
}
