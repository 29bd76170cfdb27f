using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace ScaleTable;

/// <summary>Steps of a network with random weights on random tokens: weights and tokens do not change what a step takes.</summary>
/// <param name="configuration">A <c>config.json</c> of a network that continues texts.</param>
/// <param name="rows">Of a step, on each rank.</param>
/// <param name="length">Tokens of a row.</param>
/// <param name="rank">Of adapters on all matrices of blocks; 0 to train all weights.</param>
internal sealed class Measurement(string configuration, int rows, int length, int rank) : IDisposable
{
    private const int Steps = 6, Settling = 2;

    private readonly CausalLanguageModel _model = Create(configuration, rank);

    public long TrainedParameters => _model.TrainableParameters().Sum(p => p.Parameter.numel());

    public void Dispose() => _model.Dispose();

    /// <summary>The median of steps, after the first ones.</summary>
    /// <param name="ranks">That share each step; null for this process alone.</param>
    public double StepSeconds(ICollective? ranks)
    {
        var random = new Random(1);
        var count = rows * (ranks?.Size ?? 1);
        TrainingExample[] examples =
        [
            .. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(_model.VocabularySize)).ToArray())
                .Select(ids => new TrainingExample(ids, ids)),
        ];
        var options = new LanguageTrainingOptions { BatchSize = rows, MaximumSteps = Steps, Collective = ranks };
        var (clock, times) = (Stopwatch.StartNew(), new List<double>());
        new LanguageModelTrainer(_model, options, examples).Train(new Callback(() =>
        {
            times.Add(clock.Elapsed.TotalSeconds);
            clock.Restart();
        }));
        return Median(times.Skip(Settling));
    }

    /// <summary>What ranks get through, and how late a message is.</summary>
    public static (double BytesPerSecond, double Latency) Network(ICollective ranks)
    {
        var (small, large) = (new float[1], new float[1 << 23]);
        var pass = 2.0 * (ranks.Size - 1);
        var latency = Median(Enumerable.Range(0, 50).Select(_ => Time(small))) / pass;
        var seconds = Median(Enumerable.Range(0, 7).Select(_ => Time(large))) - pass * latency;
        return (pass / ranks.Size * large.Length * sizeof(float) / seconds, latency);

        double Time(float[] values)
        {
            ranks.Barrier();
            var clock = Stopwatch.StartNew();
            ranks.AllReduceSum(values);
            return clock.Elapsed.TotalSeconds;
        }
    }

    private static CausalLanguageModel Create(string configuration, int rank)
    {
        var model = CausalLanguageModel.Create(JsonNode.Parse(File.ReadAllText(configuration))!.AsObject(), seed: 1);
        if (rank > 0)
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = rank, TargetModules = ["all-linear"] }, seed: 1);
        return model;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[sorted.Count / 2] + sorted[(sorted.Count - 1) / 2]) / 2;
    }

    private sealed class Callback(Action step) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Loss is not null)
                step();
        }
    }
}
