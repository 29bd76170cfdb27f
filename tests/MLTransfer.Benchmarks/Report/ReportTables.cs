using System.Globalization;
using Spectre.Console;
using MLTransfer.Benchmarks.Workloads;

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
        PrintMachine(report);
        foreach (var results in report.Training.GroupBy(result => result.Model))
            PrintTraining(results);
        foreach (var results in report.Memory.GroupBy(result => result.Model))
            PrintMemory(results);
        foreach (var results in report.Decoding.GroupBy(result => result.Model))
            PrintDecoding(results);
        AnsiConsole.WriteLine(Invariant($"Measured in {report.DurationSeconds:F0} s{(report.Quick ? ", quick: one repetition" : "")}."));
    }

    private static void PrintMachine(BenchmarkReport report)
    {
        var machine = report.Machine;
        var table = new Table { Title = new TableTitle("Machine"), ShowHeaders = false }.AddColumns("", "");
        Row(table, "processor", Invariant($"{machine.Processor}, {machine.PhysicalCores} physical and {machine.LogicalCores} logical cores, {machine.Threads} threads used"));
        Row(table, "instruction sets", string.Join(", ", machine.InstructionSets));
        Row(table, "software", $"{machine.Runtime}, libtorch {machine.Libtorch}, {machine.OperatingSystem}");
        foreach (var (use, path) in machine.ComputePaths)
            Row(table, use, path);
        AnsiConsole.Write(table);

        var peaks = new Table { Title = new TableTitle("Peaks (shares are of the better of the two)") }.AddColumns("", "first", "last");
        Row(peaks, "matrix product, float32", Invariant($"{report.PeaksFirst.Float32Gigaflops:F0} GFLOP/s"), Invariant($"{report.PeaksLast.Float32Gigaflops:F0} GFLOP/s"));
        Row(peaks, "matrix product, bf16", Invariant($"{report.PeaksFirst.BFloat16Gigaflops:F0} GFLOP/s"), Invariant($"{report.PeaksLast.BFloat16Gigaflops:F0} GFLOP/s"));
        Row(peaks, "reading memory", Invariant($"{report.PeaksFirst.ReadGigabytesPerSecond:F1} GB/s"), Invariant($"{report.PeaksLast.ReadGigabytesPerSecond:F1} GB/s"));
        AnsiConsole.Write(peaks);
    }

    private static void PrintTraining(IGrouping<string, TrainingResult> results)
    {
        var any = results.First();
        var table = new Table { Title = new TableTitle(Markup.Escape($"Training {results.Key}, {any.BatchSize} x {any.Length} tokens a step")) }
            .AddColumns("variant", "s a step", "min .. max", "tokens/s", "GFLOP/s", "of peak", "x float32", "x plain", "reference");
        foreach (var result in results)
        {
            Row(table, result.Variant, Number(result.StepSeconds.Median, "F3"), Range(result.StepSeconds, "F3"), Number(result.TokensPerSecond, "F0"),
                Number(result.Gigaflops, "F0"), Number(result.ShareOfPeak, "F2"), Number(result.TimesFloat32, "F2"), Number(result.TimesPlain, "F2"),
                result.Reference ?? None);
        }

        AnsiConsole.Write(table);
    }

    private static void PrintMemory(IGrouping<string, MemoryMeasurement> results)
    {
        var any = results.First();
        var table = new Table { Title = new TableTitle(Markup.Escape(
                $"Memory of a process that trains {results.Key}, {any.BatchSize} x {any.Length} tokens a step, {any.Steps} steps")) }
            .AddColumns("variant", "peak (GB)", "growth from step 10 to the last (MB)", "reference");
        foreach (var result in results)
        {
            Row(table, TrainingVariant.Find(result.Variant).Name, Number(result.PeakBytes / 1e9, "F2"), Number(result.GrowthBytes / 1e6, "F1"),
                result.Reference ?? None);
        }

        AnsiConsole.Write(table);
    }

    private static void PrintDecoding(IGrouping<string, DecodingResult> results)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape($"Greedy decoding, {results.Key}")) }
            .AddColumns("variant", "batch", "tokens/s", "min .. max", "GB/s of weights", "of bandwidth", "x one sequence", "x plain", "reference");
        foreach (var result in results)
        {
            Row(table, result.Variant, Number(result.BatchSize, "F0"), Number(result.TokensPerSecond.Median, "F1"),
                Range(result.TokensPerSecond, "F1"), Number(result.GigabytesPerSecond, "F1"), Number(result.ShareOfBandwidth, "F2"),
                Number(result.TimesOneSequence, "F2"), Number(result.TimesPlain, "F2"), result.Reference ?? None);
        }

        AnsiConsole.Write(table);
    }

    private static void Row(Table table, params string[] cells) => table.AddRow(cells.Select(Markup.Escape).ToArray());

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? None;

    private static string Range(Spread spread, string format) => $"{Number(spread.Minimum, format)} .. {Number(spread.Maximum, format)}";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
