using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>
/// A narrow network with a vocabulary of 151,936 reads rows whose logits would take 1.2 GB in float32: in training, in evaluation, or as a
/// prompt. Prints what the process took at most, in bytes.
/// </summary>
internal static class MeasuredLogits
{
    private const int Length = 2048, Vocabulary = 151_936;

    public static void Run(string use)
    {
        using var network = CausalLanguageModel.Create(
            new JsonObject
            {
                ["model_type"] = "llama", ["vocab_size"] = Vocabulary, ["max_position_embeddings"] = Length + 8, ["hidden_size"] = 16,
                ["num_hidden_layers"] = 1, ["num_attention_heads"] = 2, ["num_key_value_heads"] = 2, ["intermediate_size"] = 32,
                ["tie_word_embeddings"] = true,
            },
            seed: 1);
        var random = new Random(1);
        var ids = Enumerable.Range(0, Length).Select(_ => random.Next(Vocabulary)).ToArray();
        TrainingExample[] rows = [new(ids, ids)];
        if (use == "train")
        {
            var options = new LanguageTrainingOptions { BatchSize = 1, MaximumSteps = 1, Precision = Precision.Float32 };
            new LanguageModelTrainer(network, options, rows).Train();
        }
        else if (use == "evaluate")
        {
            Evaluator.Evaluate(network, rows);
        }
        else
        {
            new TokenGenerator(network).Generate([ids], new GenerationOptions { MaximumNewTokens = 2 });
        }

        using var process = Process.GetCurrentProcess();
        Console.WriteLine(process.PeakWorkingSet64);
    }
}
