using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>
/// Trains a GPT-2 of 30 million random parameters and prints what memory that was to take, and what the process took at most.
/// </summary>
internal static class MeasuredTraining
{
    private const int Rows = 4, Length = 128, Vocabulary = 8_000;

    /// <param name="kind">weights, checkpointing or adapters.</param>
    public static void Run(string kind)
    {
        using var network = CausalLanguageModel.Create(
            new JsonObject
            {
                ["model_type"] = "gpt2", ["vocab_size"] = Vocabulary, ["n_positions"] = Length, ["n_embd"] = 512, ["n_layer"] = 8,
                ["n_head"] = 8, ["embd_pdrop"] = 0, ["attn_pdrop"] = 0, ["resid_pdrop"] = 0,
            },
            seed: 1);
        if (kind == "adapters")
            LowRankAdaptation.Attach(network, new LoraOptions(), seed: 1);
        var options = new LanguageTrainingOptions
        {
            BatchSize = Rows, MaximumSteps = 3, Precision = Precision.Float32, GradientCheckpointing = kind == "checkpointing",
        };
        var random = new Random(1);
        var trainer = new LanguageModelTrainer(network, options,
        [
            .. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, Length).Select(_ => random.Next(Vocabulary)).ToArray())
                .Select(ids => new TrainingExample(ids, ids)),
        ]);
        var estimate = trainer.EstimateMemory().Total;
        trainer.Train();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine($"{estimate} {process.PeakWorkingSet64}");
    }
}
