using System.Globalization;
using MLTransfer.Benchmarks.Workloads;
using Spectre.Console;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Prints a report.</summary>
internal static class ReportTables
{
    private const int WidthOfFiles = 160;
    private const string None = "-";

    public static void Print(BenchmarkReport report)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = WidthOfFiles;
        PrintMachine(report.Machine);
        PrintPeaks(report.PeaksFirst, report.PeaksLast);
        foreach (var results in report.Training.GroupBy(result => result.Model))
            PrintTraining([.. results]);
        foreach (var results in report.TrainingParts.GroupBy(part => part.Model))
            PrintParts([.. results]);
        foreach (var results in report.Memory.GroupBy(result => result.Model))
            PrintMemory([.. results]);
        foreach (var results in report.Decoding.GroupBy(result => result.Model))
            PrintDecoding([.. results]);
        Console.WriteLine(Invariant($"Measured in {report.DurationSeconds:F0} s{(report.Quick ? ", quick: one repetition" : "")}."));
    }

    private static void PrintMachine(Machine machine) => Write("Machine", ["", ""],
    [
        ["processor",
            $"{machine.Processor}, {machine.PhysicalCores} physical and {machine.LogicalCores} logical cores, {machine.Threads} threads"],
        ["instruction sets", string.Join(", ", machine.InstructionSets)],
        ["software", $"{machine.Runtime}, libtorch {machine.Libtorch}, {machine.OperatingSystem}"],
        .. machine.ComputePaths.Select(path => new[] { path.Key, path.Value }),
    ]);

    private static void PrintPeaks(Peaks first, Peaks last) => Write("Peaks (shares are of the better of the two)", ["", "first", "last"],
    [
        ["matrix product, float32 (GFLOP/s)", Number(first.Float32Gigaflops, "F0"), Number(last.Float32Gigaflops, "F0")],
        ["matrix product, bf16 (GFLOP/s)", Number(first.BFloat16Gigaflops, "F0"), Number(last.BFloat16Gigaflops, "F0")],
        ["reading memory (GB/s)", Number(first.ReadGigabytesPerSecond, "F1"), Number(last.ReadGigabytesPerSecond, "F1")],
    ]);

    private static void PrintTraining(TrainingResult[] results) => Write(
        $"Training {results[0].Model}, {results[0].BatchSize} x {results[0].Length} tokens a step",
        ["variant", "s a step", "min .. max", "tokens/s", "GFLOP/s", "of peak", "x float32", "x plain", "reference"],
        results.Select(result => new[]
        {
            result.Variant, Number(result.StepSeconds.Median, "F3"), Range(result.StepSeconds, "F3"), Number(result.TokensPerSecond, "F0"),
            Number(result.Gigaflops, "F0"), Number(result.ShareOfPeak, "F2"), Number(result.TimesFloat32, "F2"),
            Number(result.TimesPlain, "F2"),
            result.Reference ?? None,
        }));

    private static void PrintParts(StepPart[] parts) => Write(
        $"Where the time of a step of {parts[0].Model} in bf16 goes",
        ["part", "s", "min .. max", "share", "GFLOP/s", "of peak"],
        parts.Select(part => new[]
        {
            part.Part, Number(part.Seconds.Median, "F3"), Range(part.Seconds, "F3"),
            Number(part.Seconds.Median / parts.Sum(other => other.Seconds.Median), "P0"), Number(part.Gigaflops, "F0"),
            Number(part.ShareOfPeak, "F2"),
        }));

    private static void PrintMemory(MemoryMeasurement[] results) => Write(
        $"Memory of a process that trains {results[0].Model}, {results[0].BatchSize} x {results[0].Length} tokens a step, "
            + $"{results[0].Steps} steps",
        ["variant", "peak (GB)", "its growth from step 10 to the last (MB)", "reference"],
        results.Select(result => new[]
        {
            TrainingVariant.Find(result.Variant).Name, Number(result.PeakBytes / 1e9, "F2"), Number(result.GrowthBytes / 1e6, "F1"),
            result.Reference ?? None,
        }));

    private static void PrintDecoding(DecodingResult[] results) => Write(
        $"Greedy decoding, {results[0].Model}",
        ["variant", "batch", "tokens/s", "min .. max", "GB/s of weights", "of bandwidth", "x one sequence", "x bf16", "x plain",
            "reference"],
        results.Select(result => new[]
        {
            result.Variant, Number(result.BatchSize, "F0"), Number(result.TokensPerSecond.Median, "F1"),
            Range(result.TokensPerSecond, "F1"),
            Number(result.GigabytesPerSecond, "F1"), Number(result.ShareOfBandwidth, "F2"), Number(result.TimesOneSequence, "F2"),
            Number(result.TimesBFloat16, "F2"), Number(result.TimesPlain, "F2"), result.Reference ?? None,
        }));

    /// <summary>Writes a table without the columns that no row has a value for.</summary>
    private static void Write(string title, string[] columns, IEnumerable<string[]> rows)
    {
        string[][] cells = [.. rows];
        int[] shown = [.. Enumerable.Range(0, columns.Length).Where(column => cells.Any(row => row[column] != None))];
        var table = new Table { Title = new TableTitle(Markup.Escape(title)), ShowHeaders = columns.Any(column => column.Length > 0) };
        table.AddColumns(shown.Select(column => Markup.Escape(columns[column])).ToArray());
        foreach (var row in cells)
            table.AddRow(shown.Select(column => Markup.Escape(row[column])).ToArray());
        AnsiConsole.Write(table);
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? None;

    private static string Range(Spread spread, string format) => $"{Number(spread.Minimum, format)} .. {Number(spread.Maximum, format)}";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
