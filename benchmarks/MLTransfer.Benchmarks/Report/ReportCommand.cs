using System.Text.Json;
using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures everything and writes it down.</summary>
internal static class ReportCommand
{
    public static int Run(Arguments arguments)
    {
        if (arguments.Variant is { } unexpected)
            throw new ArgumentException($"Unknown argument '{unexpected}'.\n\n{Arguments.Usage}");
        var plan = arguments.Quick ? ReportPlan.Quick : ReportPlan.Full;
        string[] ids = arguments.Model == BenchmarkedModel.Gpt2Id ? [arguments.Model, BenchmarkedModel.TalesId] : [arguments.Model];
        var models = Array.ConvertAll(ids, BenchmarkedModel.Find);
        Directory.CreateDirectory(arguments.Output); // before any long work

        var started = DateTimeOffset.Now;
        var first = Peaks.Measure("first");
        var (training, decoding) = (new List<IReadOnlyList<TrainingMeasurement>>(), new List<IReadOnlyList<DecodingMeasurement>>());
        var (parts, memory, curves) = (new List<StepPart>(), new List<MemoryMeasurement>(), new List<CurvePoint>());
        foreach (var model in models)
        {
            var shape = model.Shape(model.ReportedBatchSize, ReportPlan.Length);
            training.Add(TrainingSection.Measure(model, shape, plan));
            parts.AddRange(ProfileSection.Measure(model, shape, plan, first));
            decoding.Add(DecodingSection.Measure(model, plan));
            memory.AddRange(TrainingVariant.All.Select(variant =>
                TrainingProcess.Run(model, variant, shape, arguments.MemorySteps ?? plan.MemorySteps(model, shape))
                    with { Reference = ReferenceStack.Memory(model, variant) }));
            if (plan.HasCurves)
                curves.AddRange(CurvesSection.Measure(model, shape));
        }

        var last = Peaks.Measure("last");
        var peaks = Peaks.Best(first, last);
        var report = new BenchmarkReport
        {
            Started = started,
            DurationSeconds = Log.Elapsed.TotalSeconds,
            Quick = arguments.Quick,
            Machine = Machine.Describe(),
            PeaksFirst = first,
            PeaksLast = last,
            Training = [.. training.SelectMany(measured => TrainingResult.Compare(measured, peaks))],
            TrainingParts = parts,
            Memory = memory,
            Decoding = [.. decoding.SelectMany(measured => DecodingResult.Compare(measured, peaks))],
            Curves = curves,
        };

        var path = Path.Combine(arguments.Output, "report.json");
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(report, ReportJson.Indented) + "\n");
        string[] files = [path, .. CurvePictures.Write(arguments.Output, curves)];
        ReportTables.Print(report);
        foreach (var file in files)
            Console.WriteLine(Path.GetFullPath(file));
        return 0;
    }
}
