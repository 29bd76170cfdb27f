using System.Diagnostics;
using System.Globalization;
using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>
/// Trains alone, then in two processes side by side, and prints what share of one alone the two reach together: as libgomp's threads wait
/// by themselves, and as the library lets them wait.
/// </summary>
internal static class BusyCommand
{
    /// <summary>What <c>GOMP_SPINCOUNT</c> is where nobody sets it.</summary>
    private const string UsualSpinCount = "300000";

    private const int WarmUp = 3;

    private static readonly (string Name, string Id)[] s_workloads = [("Tales, 4 x 128", "text"), ("StyleGAN2 32x32, batch 8", "images")];

    public static int Run(Arguments arguments)
    {
        if (arguments.Variant is { } workload)
            return Work(workload, TimeSpan.FromSeconds(arguments.Steps));
        var load = MachineLoad.Read();
        Print($"{load.Processors} processors, load {load.Running:F1}, {load.Waiting:P0} of the time something waits for one");
        Print($"| training | threads wait | one alone, steps/s | two side by side, each | together of one alone |");
        Print($"|---|---|---|---|---|");
        foreach (var (name, id) in s_workloads)
        {
            foreach (var (waiting, spins) in (ReadOnlySpan<(string, string)>)[
                ("as libgomp's do", UsualSpinCount), ("as the library's do", ThreadWaiting.SpinCount), ("asleep", "0")])
            {
                // By turns: what else the machine does changes from one minute to the next.
                var (alone, first, second, shares) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
                for (var i = 0; i < (arguments.Quick ? 1 : 3); i++)
                {
                    alone.Add(StepsPerSecond(id, spins, arguments.Steps, processes: 1)[0]);
                    var both = StepsPerSecond(id, spins, arguments.Steps, processes: 2);
                    first.Add(both[0]);
                    second.Add(both[1]);
                    shares.Add(both.Sum() / alone[^1]);
                }

                var (one, a, b, share) = (Median(alone), Median(first), Median(second), Spread.Of(shares));
                var range = FormattableString.Invariant($"{share.Minimum:F2} to {share.Maximum:F2}");
                Print($"| {name} | {waiting} | {one:F2} | {a:F2} and {b:F2} | {share.Median:F2} ({range}) |");
            }
        }

        return 0;

        static double Median(List<double> values) => Spread.Of(values).Median;
    }

    /// <summary>Of processes that train at the same time.</summary>
    private static double[] StepsPerSecond(string workload, string spins, int seconds, int processes)
    {
        var all = Enumerable.Range(0, processes).Select(_ => BenchmarkProcess.Start(
            [(ThreadWaiting.SpinVariable, spins)], "busy", workload, "--steps", seconds.ToString(CultureInfo.InvariantCulture))).ToArray();
        foreach (var process in all)
            _ = process.StandardOutput.ReadLine(); // it is ready
        foreach (var process in all)
            process.StandardInput.WriteLine();
        return [.. all.Select(process => double.Parse(BenchmarkProcess.Finish(process), CultureInfo.InvariantCulture))];
    }

    /// <summary>Says when it is ready, waits for a line, trains for some time, and prints the steps of a second.</summary>
    private static int Work(string workload, TimeSpan time)
    {
        var (start, steps) = (0L, -WarmUp);
        if (workload == "text")
            TrainText(StepDone);
        else
            TrainImages(StepDone);
        return 0;

        bool StepDone()
        {
            steps++;
            if (steps == 0)
            {
                Console.WriteLine("ready");
                _ = Console.ReadLine();
                start = Stopwatch.GetTimestamp();
            }

            if (steps <= 0 || Stopwatch.GetElapsedTime(start) < time)
                return true;
            Print($"{steps / Stopwatch.GetElapsedTime(start).TotalSeconds:F3}");
            return false;
        }
    }

    private static void TrainText(Func<bool> stepDone)
    {
        var model = BenchmarkedModel.Find(BenchmarkedModel.TalesId);
        using var network = model.Load();
        using var stop = new CancellationTokenSource();
        var options = new LanguageTrainingOptions { BatchSize = 4, MaximumSteps = int.MaxValue };
        var trainer = new LanguageModelTrainer(
            network, options, [.. model.RandomTokens(4, 128).Select(ids => new TrainingExample(ids, ids))]);
        Console.Error.WriteLine(trainer.Computation);
        trainer.Train(
            new StepObserver<TrainingProgress>(() =>
            {
                if (!stepDone())
                    stop.Cancel();
            }),
            stopAndKeep: stop.Token);
    }

    private static void TrainImages(Func<bool> stepDone)
    {
        using var images = new ImageSet(full([64, 3, 32, 32], 128, ScalarType.Byte));
        using var model = StyleGan2Model.Create(
            StyleGan2Model.Configure(32, channelBase: 1024, channelMaximum: 128, latentWidth: 128, mappingLayers: 4));
        using var stop = new CancellationTokenSource();
        var options = new AdversarialTrainingOptions { BatchSize = 8, TotalImages = int.MaxValue };
        var trainer = new StyleGan2Trainer(model, options, images);
        Console.Error.WriteLine(trainer.Computation);
        trainer.Train(
            new StepObserver<StyleGan2Progress>(() =>
            {
                if (!stepDone())
                    stop.Cancel();
            }),
            stopAndKeep: stop.Token);
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed class StepObserver<T>(Action stepDone) : IProgress<T>
        where T : RunProgress
    {
        public void Report(T value)
        {
            if (value.Step > 0)
                stepDone();
        }
    }
}
