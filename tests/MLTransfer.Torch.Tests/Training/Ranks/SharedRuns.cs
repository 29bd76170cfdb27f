using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.Training.Ranks;

/// <summary>Trainings of a tiny GPT-2 by ranks that are threads, eight rows a step whatever their number.</summary>
internal static class SharedRuns
{
    public const int RowsPerStep = 8;

    /// <remarks>
    /// The gradients of keys' biases are zero but for rounding, from which Adam's usual epsilon would make whole steps, in another
    /// direction for every cut of the rows: of ranks and of passes alike.
    /// </remarks>
    public static LanguageTrainingOptions Options(int ranks, int accumulation = 1) => new()
    {
        NumberOfEpochs = 3, Precision = Precision.Float32, Threads = 1, BatchSize = RowsPerStep / ranks / accumulation,
        GradientAccumulationSteps = accumulation, LearningRate = 1e-3, AdamEpsilon = 1e-6,
        WeightDecay = 0.01, EvaluationSteps = 2, KeepBestModel = false,
    };

    /// <summary>Trains on each rank; weights, losses of steps and of evaluations.</summary>
    public static IReadOnlyList<Outcome> Train(
        int ranks, LanguageTrainingOptions options, IReadOnlyList<TrainingExample> rows, bool hasAdapters = false, double dropout = 0,
        Action<int, TrainingProgress>? report = null, Func<int, CancellationToken>? cancellation = null) =>
        ThreadCollective.Run(ranks, collective => Train(
            ranks == 1 ? options : options with { Collective = collective }, rows, hasAdapters, dropout,
            progress => report?.Invoke(collective.Rank, progress), cancellation?.Invoke(collective.Rank) ?? default));

    private static Outcome Train(
        LanguageTrainingOptions options, IReadOnlyList<TrainingExample> rows, bool hasAdapters, double dropout,
        Action<TrainingProgress> report, CancellationToken cancellation)
    {
        using var model = TinyRun.LoadModel();
        model.Dropout = new DropoutProbabilities(dropout, dropout, dropout);
        if (hasAdapters)
        {
            LowRankAdaptation.Attach(
                model, new LoraOptions { Rank = 4, Dropout = dropout, TargetModules = ["c_attn", "mlp.c_fc"] }, seed: 3);
        }

        var running = new List<byte[]>();
        var result = new LanguageModelTrainer(model, options, rows, TinyRun.ValidationRows).Train(
            new ProgressCallback(progress =>
            {
                running.Add(Bytes(model));
                report(progress);
            }), cancellation);
        return new(
            [.. model.TrainableParameters().SelectMany(p => p.Parameter.data<float>().ToArray())], Bytes(model), running,
            [.. result.History.Where(p => p.Loss is not null).Select(p => p.Loss!.Value)],
            [.. result.History.Where(p => p.ValidationLoss is not null).Select(p => p.ValidationLoss!.Value)]);
    }

    private static byte[] Bytes(CausalLanguageModel model) =>
        [.. model.TrainableParameters().SelectMany(p => p.Parameter.bytes.ToArray())];

    /// <summary>What a rank ended with: weights and their bits, and the bits after every step and evaluation.</summary>
    internal sealed record Outcome(
        float[] Weights, byte[] Bits, IReadOnlyList<byte[]> Running, double[] Losses, double[] Evaluations);
}
