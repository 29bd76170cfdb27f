using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>
/// Loads a Qwen2 of random weights that are stored in bfloat16, trains adapters on it with gradient checkpointing, and prints what that was
/// to take, what the process took at most after loading and at the end, in bytes, the seconds of a step, and those of processors that the
/// last one took.
/// </summary>
internal static class MeasuredCheckpoint
{
    private const int Steps = 3;

    /// <summary>Writes the checkpoint, in a process of its own: making one takes memory too.</summary>
    public static void Make(string folder, string size)
    {
        using var network = TransformerNetwork.Create(Configuration(size), ScalarType.BFloat16, seed: 1);
        network.Save(folder);
    }

    /// <param name="folder">Of the checkpoint.</param>
    /// <param name="size">Its size.</param>
    /// <param name="format">Of frozen matrices; empty for what they are.</param>
    public static void Train(string folder, string size, string format = "")
    {
        using var network = CausalLanguageModel.Load(folder, keepsMatrices: true);
        FrozenFormat? frozen = format.Length == 0 ? null : Enum.Parse<FrozenFormat>(format);
        if (frozen is null)
            network.ComputeFingerprint(); // reads all of it: a mapped file takes memory only then
        var loaded = Peak();
        LowRankAdaptation.Attach(network, new LoraOptions(), seed: 1);
        var (random, length) = (new Random(1), size == "102M" ? 128 : 512);
        var ids = Enumerable.Range(0, length).Select(_ => random.Next(network.VocabularySize)).ToArray();
        var options = new LanguageTrainingOptions
        {
            BatchSize = 1, MaximumSteps = Steps, GradientCheckpointing = true, FrozenFormat = frozen,
        };
        var trainer = new LanguageModelTrainer(network, options, [new TrainingExample(ids, ids)]);
        var estimate = trainer.EstimateMemory().Total;
        var clock = new StepClock();
        var result = trainer.Train(clock);
        if (!(result.History[^1].Loss < result.History[0].Loss))
            throw new InvalidDataException("Nothing was learned.");
        Console.WriteLine($"{estimate} {loaded} {Peak()} {result.Elapsed.TotalSeconds / Steps:F2} {clock.Last:F2}");
    }

    /// <summary>The shape of Qwen2-1.5B, a seventh of its blocks and tokens, or one of 102 million parameters.</summary>
    private static JsonObject Configuration(string size) => size switch
    {
        "1.5B" => Qwen2(layers: 28, width: 1536, heads: 12, keyValueHeads: 2, inner: 8960, vocabulary: 151_936),
        "0.2B" => Qwen2(layers: 4, width: 1536, heads: 12, keyValueHeads: 2, inner: 8960, vocabulary: 21_705),
        _ => Qwen2(layers: 4, width: 768, heads: 12, keyValueHeads: 2, inner: 2048, vocabulary: 100_000),
    };

    private static JsonObject Qwen2(int layers, int width, int heads, int keyValueHeads, int inner, int vocabulary) => new()
    {
        ["model_type"] = "qwen2", ["architectures"] = new JsonArray("Qwen2ForCausalLM"), ["hidden_act"] = "silu",
        ["num_hidden_layers"] = layers, ["hidden_size"] = width, ["num_attention_heads"] = heads, ["num_key_value_heads"] = keyValueHeads,
        ["intermediate_size"] = inner, ["vocab_size"] = vocabulary, ["max_position_embeddings"] = 4096, ["rope_theta"] = 1_000_000.0,
        ["rms_norm_eps"] = 1e-6, ["tie_word_embeddings"] = true, ["initializer_range"] = 0.02,
    };

    /// <summary>Tells the processor's time of the last step: the first ones make room, or matrices.</summary>
    private sealed class StepClock : IProgress<TrainingProgress>
    {
        private TimeSpan _start = Now;

        public double Last { get; private set; }

        private static TimeSpan Now
        {
            get
            {
                using var process = Process.GetCurrentProcess();
                return process.TotalProcessorTime;
            }
        }

        public void Report(TrainingProgress value)
        {
            if (value.Loss is null)
                return;
            Last = (Now - _start).TotalSeconds;
            _start = Now;
        }
    }

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
