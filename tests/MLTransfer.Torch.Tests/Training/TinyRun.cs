using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

internal enum TinyRunKind
{
    /// <summary>All weights; the validation loss falls to the end, so the best weights are late ones.</summary>
    Improving,

    /// <summary>All weights, on so few rows that they are soon overfitted: the best weights are early ones.</summary>
    Worsening,

    /// <summary>LoRA adapters on two kinds of layers.</summary>
    Adapters,
}

/// <summary>
/// A run with everything that makes resuming hard: shuffled rows of several lengths, dropout, gradient accumulation, best-model tracking.
/// </summary>
internal static class TinyRun
{
    public const int Steps = 14;

    public static IReadOnlyList<TrainingExample> Rows { get; } = CreateRows(count: 10, seed: 1);

    public static IReadOnlyList<TrainingExample> ValidationRows { get; } = CreateRows(count: 3, seed: 2);

    public static CausalLanguageModel LoadModel() => CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));

    public static CausalLanguageModel CreateModel(TinyRunKind kind)
    {
        var model = LoadModel();
        model.Dropout = new DropoutProbabilities(0.1, 0.1, 0.1);
        if (kind == TinyRunKind.Adapters)
        {
            manual_seed(3);
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4, Dropout = 0.1, TargetModules = ["c_attn", "mlp.c_fc"] });
        }

        return model;
    }

    public static LanguageTrainingOptions Options(
        TinyRunKind kind, string? folder, int checkpointSteps = 3, int checkpointLimit = 0, bool resume = false) => new()
    {
        MaximumSteps = Steps,
        Precision = Precision.Float32,
        BatchSize = 2,
        GradientAccumulationSteps = 2,
        LearningRate = kind == TinyRunKind.Worsening ? 0.02 : 2e-3,
        LearningRateSchedule = LearningRateSchedule.Constant,
        WarmupSteps = kind == TinyRunKind.Worsening ? 0 : 2,
        WeightDecay = 0.01,
        EvaluationSteps = 2,
        OutputDirectory = folder,
        CheckpointSteps = folder is null ? 0 : checkpointSteps,
        CheckpointLimit = checkpointLimit,
        Resume = resume,
    };

    public static LanguageModelTrainer Create(CausalLanguageModel model, TinyRunKind kind, string? folder, int checkpointSteps = 3,
        int checkpointLimit = 0, bool resume = false) =>
        kind == TinyRunKind.Worsening
            ? new(model, Options(kind, folder, checkpointSteps, checkpointLimit, resume), [.. Rows.Take(3)], ValidationRows)
            : new(model, Options(kind, folder, checkpointSteps, checkpointLimit, resume), Rows, Rows);

    /// <summary>Rows of 6 to 20 tokens from a small part of the vocabulary, so that there is something to learn.</summary>
    public static IReadOnlyList<TrainingExample> CreateRows(int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count)
                .Select(_ => Enumerable.Range(0, random.Next(6, 21)).Select(_ => random.Next(100, 140)).ToArray())
                .Select(ids => new TrainingExample(ids, ids)),
        ];
    }
}
