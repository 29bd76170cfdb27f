using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Spectre.Console;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>
/// Measures MusicGen-small's shape: frames of music a second with guidance, beside what reading the decoder's weights allows, and training
/// beside the peak of matrix products.
/// </summary>
internal static class MusicCommand
{
    private const int CaptionTokens = 12;
    private const int WarmUpFrames = 8;

    public static int Run(Arguments arguments)
    {
        if (arguments.Threads is { } threads)
            set_num_threads(threads);
        var peaks = Peaks.Measure("before");
        var generated = new List<(string Name, ScalarType Type, Spread Frames)>();
        foreach (var (name, type) in ((string, ScalarType)[])
            [("int8", ScalarType.Int8), ("bf16", ScalarType.BFloat16), ("float32", ScalarType.Float32)])
            generated.Add((name, type, Generate(name, type, arguments)));
        List<(string Name, ScalarType Type, double Operations, Spread Seconds)> trained = [];
        if (!arguments.Quick)
        {
            trained.Add(Train("all weights, float32", Precision.Float32, null, arguments));
            trained.Add(Train("all weights, bf16", Precision.BFloat16, null, arguments));
            trained.Add(Train("LoRA, bf16", Precision.BFloat16, new LoraOptions(), arguments));
        }

        Write(generated, trained, Peaks.Best(peaks, Peaks.Measure("after")), arguments);
        return 0;
    }

    private static Spread Generate(string name, ScalarType type, Arguments arguments)
    {
        using var model = MusicGenSmall.Create(type);
        var caption = Enumerable.Range(2, CaptionTokens).ToArray();
        var speeds = new List<double>();
        for (var round = 0; round <= (arguments.Quick ? 1 : 3); round++)
        {
            var frames = round == 0 ? WarmUpFrames : arguments.Steps;
            var (columns, start) = (0, default(TimeSpan?));
            var search = new MusicSearch(
                new TorchMusicDecoder(model), new MusicGenerationOptions { MaximumFrames = frames }, Advanced, CancellationToken.None);
            search.Run([new MusicRow(0, caption, [[], [], [], []], seed: 1)]);
            if (round == 0)
                continue;
            speeds.Add(columns / (Now(arguments) - start!.Value).TotalSeconds);
            Log.Say($"{name}, round {round}: {speeds[^1]:F1} frames/s");

            void Advanced() // the first column has the captions and the prompt before it
            {
                if (start is null)
                    start = Now(arguments);
                else
                    columns++;
            }
        }

        return Spread.Of(speeds);
    }

    /// <summary>With one thread the processor's time, which other processes do not lengthen.</summary>
    private static TimeSpan Now(Arguments arguments) =>
        arguments.Threads == 1 ? Environment.CpuUsage.TotalTime : Stopwatch.GetElapsedTime(0);

    private static (string, ScalarType, double, Spread) Train(string name, Precision precision, LoraOptions? lora, Arguments arguments)
    {
        using var model = MusicGenSmall.Create(ScalarType.Float32);
        if (lora is not null)
            LowRankAdaptation.Attach(model, lora, seed: 1);
        var length = arguments.Length;
        var random = new Random(1);
        int[][] codes = [.. Enumerable.Range(0, 4).Select(_ =>
            Enumerable.Range(0, length - model.Pattern.Depth + 1).Select(_ => random.Next(2048)).ToArray())];
        MusicTrainingRow[] rows = [new(Enumerable.Range(2, CaptionTokens).ToArray(), model.Pattern.Delay(codes))];
        var options = new MusicTrainingOptions { BatchSize = 1, MaximumSteps = 4, Precision = precision, ConditionDropout = 0 };
        var clock = new StepClock();
        new MusicTrainer(model, options, rows, [], tokenizer: null).Train(new StepObserver(() =>
        {
            clock.StepDone();
            Log.Say($"{name}: a step");
        }));
        var (layers, width) = MusicGenSmall.Attention;
        var operations = (lora is null ? 6.0 : 4.0) * MusicGenSmall.FrameParameters * length + 12.0 * layers * width * length * length;
        return (name, precision == Precision.Float32 ? ScalarType.Float32 : ScalarType.BFloat16, operations, Spread.Of(clock.Seconds));
    }

    private static void Write(
        List<(string Name, ScalarType Type, Spread Frames)> generated,
        List<(string Name, ScalarType Type, double Operations, Spread Seconds)> trained, Peaks peaks, Arguments arguments)
    {
        var table = new Table().Title("MusicGen-small with guidance, one prompt");
        table.AddColumns("weights", "frames/s: median (least to most)", "times real time", "what reading the weights allows", "share");
        foreach (var (name, type, frames) in generated)
        {
            var bytes = MusicGenSmall.FrameParameters * type switch { ScalarType.Int8 => 1L, ScalarType.BFloat16 => 2, _ => 4 };
            var limit = peaks.ReadGigabytesPerSecond * 1e9 / bytes;
            table.AddRow(
                name, Text($"{frames.Median:F1} ({frames.Minimum:F1} to {frames.Maximum:F1})"),
                Text($"{frames.Median / MusicGenSmall.FrameRate:F2}"), Text($"{limit:F1}"), Text($"{frames.Median / limit:F2}"));
        }

        AnsiConsole.Write(table);
        if (trained.Count == 0)
            return;
        var training = new Table().Title(Text($"MusicGen-small trained on a row of {arguments.Length} columns"));
        training.AddColumns("what", "columns/s", "GFLOP/s", "share of peak");
        foreach (var (name, type, operations, seconds) in trained)
        {
            var speed = operations / seconds.Median / 1e9;
            training.AddRow(
                name, Text($"{arguments.Length / seconds.Median:F0}"), Text($"{speed:F0}"), Text($"{speed / peaks.Gigaflops(type):F2}"));
        }

        AnsiConsole.Write(training);

        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }

    private sealed class StepObserver(Action observe) : IProgress<MusicProgress>
    {
        public void Report(MusicProgress value) => observe();
    }
}
