using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using Spectre.Console;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures greedy decoding through ONNX Runtime: the library beside loops written by hand, and beside the engine.</summary>
internal static class OnnxCommand
{
    private const int Rounds = 7;
    private const int WarmUpTokens = 8;

    public static int Run(Arguments arguments)
    {
        var threads = arguments.Threads ?? 0;
        if (threads > 0)
            set_num_threads(threads);
        var model = BenchmarkedModel.Find(arguments.Model);
        var plan = arguments.Quick ? ReportPlan.Quick : ReportPlan.Full;
        var newTokens = Math.Min(plan.NewTokens, model.Size.ContextLength - ReportPlan.PromptLength);
        var folder = Directory.CreateTempSubdirectory("mltransfer-onnx-");
        try
        {
            var export = Export(model, folder.FullName);
            var library = new OnnxLibraryDecoding(export, threads);
            DecodingVariant[] variants =
            [
                library,
                new OnnxLoopDecoding(library.Session, preallocates: true),
                new OnnxLoopDecoding(library.Session, preallocates: false),
                new LibraryDecoding(model, DecodingWeights.Float32, "engine"),
            ];
            foreach (var batch in (int[])[1, ReportPlan.DecodingBatch])
                Compare(variants, model.Name, model.RandomTokens(batch, ReportPlan.PromptLength), newTokens, arguments.Quick ? 1 : Rounds);
            foreach (var variant in variants)
                variant.Dispose();
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Export(BenchmarkedModel model, string folder)
    {
        Log.Say($"exporting {model.Name}");
        using var network = model.Load();
        var export = Path.Combine(folder, "export");
        OnnxExporter.Export(network, null, export, new OnnxExportOptions { Check = false });
        return export;
    }

    private static void Compare(DecodingVariant[] variants, string model, int[][] prompts, int newTokens, int rounds)
    {
        var speeds = variants.ToDictionary(variant => variant, _ => new List<double>());
        var processorTimes = variants.ToDictionary(variant => variant, _ => new List<double>());
        var tokens = new Dictionary<DecodingVariant, int[][]>();
        foreach (var variant in variants)
            variant.Decode(prompts, WarmUpTokens);
        for (var round = 0; round < rounds; round++)
        {
            // The order turns, so that what a variant leaves in caches and thread pools is not always met by the same one.
            foreach (var variant in variants.Skip(round % variants.Length).Concat(variants.Take(round % variants.Length)))
            {
                var (start, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                tokens[variant] = variant.Decode(prompts, newTokens);
                speeds[variant].Add(prompts.Length * newTokens / Stopwatch.GetElapsedTime(start).TotalSeconds);
                processorTimes[variant].Add((Environment.CpuUsage.TotalTime - used).TotalMilliseconds / newTokens);
                Log.Say($"round {round + 1}, {prompts.Length} sequences, {variant.Name}: {speeds[variant][^1]:F1} tokens/s");
            }
        }

        var table = new Table()
            .Title(string.Create(CultureInfo.InvariantCulture, $"{model}, {prompts.Length} x {newTokens} new tokens, float32"));
        table.AddColumns(
            "variant", "tokens/s: median (least to most)", "times the library", "processor ms/step: median (least)", "same tokens");
        var library = Spread.Of(speeds[variants[0]]).Median;
        foreach (var variant in variants)
        {
            var (spread, processor) = (Spread.Of(speeds[variant]), Spread.Of(processorTimes[variant]));
            var agreeing = tokens[variant].Zip(tokens[variants[0]]).Count(pair => pair.First.SequenceEqual(pair.Second));
            table.AddRow(
                variant.Name,
                string.Create(CultureInfo.InvariantCulture, $"{spread.Median:F1} ({spread.Minimum:F1} to {spread.Maximum:F1})"),
                (spread.Median / library).ToString("F3", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{processor.Median:F2} ({processor.Minimum:F2})"),
                string.Create(CultureInfo.InvariantCulture, $"{agreeing} of {prompts.Length}"));
        }

        AnsiConsole.Write(table);
    }
}
