using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>One way to train a model.</summary>
/// <param name="id">The name on the command line.</param>
/// <param name="name">The name in tables.</param>
/// <param name="productType">The type of matrix products.</param>
/// <param name="operations">Which operations a step has.</param>
internal abstract class TrainingVariant(string id, string name, ScalarType productType, TrainedOperations operations)
{
    private const int Rank = 8;

    private static readonly LoraOptions s_lora = new() { Rank = Rank };

    public static IReadOnlyList<TrainingVariant> All { get; } =
    [
        new LibraryTraining("float32", "float32", Precision.Float32),
        new LibraryTraining("bfloat16", "bf16", Precision.BFloat16),
        new LibraryTraining("checkpointing-bfloat16", "bf16, gradient checkpointing", Precision.BFloat16, gradientCheckpointing: true),
        new LibraryTraining("lora-float32", "LoRA r=8, float32", Precision.Float32, s_lora),
        new LibraryTraining("lora-bfloat16", "LoRA r=8, bf16", Precision.BFloat16, s_lora),
        new LibraryTraining(
            "lora-bfloat16-weights", "LoRA r=8, bf16 weights", Precision.Float32, s_lora, weightType: ScalarType.BFloat16),
        new LibraryTraining(
            "lora-checkpointing-bfloat16", "LoRA r=8, bf16, gradient checkpointing", Precision.BFloat16, s_lora,
            gradientCheckpointing: true),
        new LibraryTraining("stored-lora-bfloat16", "LoRA r=8 on a bf16 file, bf16", Precision.BFloat16, s_lora, isStored: true),
        new LibraryTraining(
            "stored-lora-checkpointing-bfloat16", "LoRA r=8 on a bf16 file, bf16, gradient checkpointing", Precision.BFloat16, s_lora,
            gradientCheckpointing: true, isStored: true),
        new PlainTraining("plain-lora-float32", "plain TorchSharp, LoRA r=8, float32", Rank),
        new PlainTraining("plain-float32", "plain TorchSharp, float32"),
    ];

    public static TrainingVariant Float32 => All[0];

    public static TrainingVariant BFloat16 => All[1];

    public static TrainingVariant PlainAdapters => All[^2];

    public static TrainingVariant Plain => All[^1];

    public string Id => id;

    public string Name => name;

    public ScalarType ProductType => productType;

    public TrainedOperations Operations => operations;

    /// <summary>Whether adapters are trained instead of the weights.</summary>
    public bool IsAdapted => id.Contains("lora", StringComparison.Ordinal);

    /// <exception cref="ArgumentException">There is no such variant.</exception>
    public static TrainingVariant Find(string? id) => All.FirstOrDefault(variant => variant.Id == id)
        ?? throw new ArgumentException($"There is no variant '{id}'. Variants: {string.Join(", ", All.Select(variant => variant.Id))}.");

    /// <summary>Loads the model and trains it, each step on the same random rows.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="shape">The rows.</param>
    /// <param name="steps">How many steps.</param>
    /// <param name="stepDone">Called after each step with its loss: the mean over predicted tokens, in nats.</param>
    public abstract void Train(BenchmarkedModel model, TrainingShape shape, int steps, Action<double> stepDone);
}
