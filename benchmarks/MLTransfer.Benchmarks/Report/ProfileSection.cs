using System.Diagnostics;
using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Where the time of a training step in bfloat16 goes: the parts of the trainer's step, called one by one.</summary>
internal static class ProfileSection
{
    public static IReadOnlyList<StepPart> Measure(BenchmarkedModel model, TrainingShape shape, ReportPlan plan, Peaks peaks)
    {
        using var network = model.Load();
        network.train();
        network.ComputeType = ScalarType.BFloat16;
        using var optimizer = new AdamW(network.TrainableParameters().Select(p => (p.Name, p.Parameter, Decays: true)), 0.9, 0.999, 1e-8);
        using var scope = NewDisposeScope();
        var batch = TrainingBatch.Create(
            [.. model.RandomTokens(shape.BatchSize, shape.Length).Select(ids => new TrainingExample(ids, ids))], CPU);
        List<double> forward = [], head = [], pass = [], update = [];
        for (var repetition = 0; repetition <= plan.Rounds * 2; repetition++)
        {
            using var repetitionScope = NewDisposeScope();
            var times = new double[4];
            using (NewDisposeScope())
            {
                Tensor hidden = null!;
                times[0] = Time(() => hidden = network.ComputeHiddenStates(batch.Input));
                var rows = hidden.detach().narrow(1, 0, shape.Length - 1).reshape(-1, model.Size.Width);
                times[1] = Time(() => LanguageModelLoss.BackwardHead(network, network.Head, rows, batch.Targets, 1e-3));
            }

            optimizer.ClearGradients();
            times[2] = Time(() => LanguageModelLoss.Backward(network, batch, 1e-3));
            times[3] = Time(() =>
            {
                optimizer.Step(1e-5, weightDecay: 0, gradientFactor: 1 / (1 + optimizer.GradientNorm()));
                optimizer.ClearGradients();
            });
            if (repetition == 0)
                continue; // it allocates
            foreach (var (list, seconds) in (
                (List<double>, double)[])[(forward, times[0]), (head, times[1]), (pass, times[2]), (update, times[3])])
                list.Add(seconds);
        }

        network.ComputeType = null;
        var headOperations = 6.0 * model.Size.VocabularySize * model.Size.Width * shape.Tokens;
        var blockOperations = model.Size.TrainingOperations(shape) - headOperations;
        var backward = pass.Zip(forward, head).Select(t => t.First - t.Second - t.Third);
        var parts = new[]
        {
            Part("blocks, forward", forward, blockOperations / 3),
            Part("output head and loss, forward and backward", head, headOperations),
            Part("blocks, backward", backward, blockOperations * 2 / 3),
            Part("gradient norm and AdamW", update, null),
        };
        Log.Say($"parts of a step of {model.Name}: {string.Join(", ", parts.Select(part => $"{part.Part} {part.Seconds.Median:F3} s"))}");
        return parts;

        StepPart Part(string name, IEnumerable<double> seconds, double? operations)
        {
            var spread = Spread.Of(seconds);
            var gigaflops = operations / spread.Median / 1e9;
            return new StepPart(model.Name, name, spread, gigaflops, gigaflops / peaks.Gigaflops(ScalarType.BFloat16));
        }
    }

    private static double Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
