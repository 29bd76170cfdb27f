using System.Diagnostics;
using System.Text.Json;
using MLTransfer.Benchmarks.Workloads;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Trains in this process and prints a <see cref="MemoryMeasurement"/>.</summary>
internal static class MemoryCommand
{
    private const int FirstMeasuredStep = 10;

    public static int Run(Arguments arguments)
    {
        if (arguments.Threads is { } threads)
            set_num_threads(threads);
        var (model, variant) = (BenchmarkedModel.Find(arguments.Model), TrainingVariant.Find(arguments.Variant));
        var shape = model.Shape(arguments.BatchSize, arguments.Length);
        var (step, atStep10, atEnd) = (0, 0L, 0L);
        var clock = new StepClock();
        variant.Train(model, shape, Math.Max(2, arguments.Steps), _ =>
        {
            clock.StepDone();
            atEnd = PeakBytes();
            if (++step == FirstMeasuredStep)
                atStep10 = atEnd;
        });

        Console.WriteLine(JsonSerializer.Serialize(
            new MemoryMeasurement
            {
                Model = model.Name,
                Variant = variant.Id,
                BatchSize = shape.BatchSize,
                Length = shape.Length,
                Steps = step,
                Threads = get_num_threads(),
                PeakBytes = atEnd,
                PeakBytesAtStep10 = step > FirstMeasuredStep ? atStep10 : null,
                StepSeconds = Spread.Of(clock.Seconds),
            },
            ReportJson.OneLine));
        return 0;
    }

    private static long PeakBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
