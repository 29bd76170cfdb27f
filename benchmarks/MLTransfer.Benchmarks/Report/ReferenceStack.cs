using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>
/// What transformers and peft on PyTorch reached at their best with GPT-2 124M, 4 x 256 tokens, on a machine of two cores with AVX-512
/// BF16, and what a plain TorchSharp loop reached there. They are the only numbers that a run does not measure.
/// </summary>
internal static class ReferenceStack
{
    public static string? Training(BenchmarkedModel model, TrainingVariant variant) =>
        model.Id != BenchmarkedModel.Gpt2Id ? null : variant.Id switch
        {
            "float32" => "0.63 of peak, 0.67 compiled",
            "bfloat16" => "0.29 of peak, 0.36 compiled",
            "lora-bfloat16" => "511 tokens/s, 3.0 x float32",
            "plain-float32" => "105 to 113 tokens/s",
            _ => null,
        };

    public static string? Memory(BenchmarkedModel model, TrainingVariant variant) =>
        model.Id != BenchmarkedModel.Gpt2Id ? null : variant.Id switch
        {
            "float32" => "4.6 GB",
            "bfloat16" => "4.1 GB",
            "lora-bfloat16" => "3.2 GB",
            _ => null,
        };

    public static string? Decoding(DecodingMeasurement measured) =>
        measured.Model.Id != BenchmarkedModel.Gpt2Id || measured.IsPlain || measured.BatchSize != 1 ? null
        : measured.Weights.Name switch
        {
            "float32" => "17 GB/s of 45 to 79",
            "bf16" => "16 GB/s of 45 to 79",
            _ => null,
        };
}
