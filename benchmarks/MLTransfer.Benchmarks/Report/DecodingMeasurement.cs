using MLTransfer.Benchmarks.Workloads;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The speed of greedy decoding, the prompt's pass included.</summary>
/// <param name="Model">What decodes.</param>
/// <param name="Variant">The name in tables.</param>
/// <param name="IsPlain">Whether it is the plain TorchSharp loop.</param>
/// <param name="WeightType">The type of the weights.</param>
/// <param name="BatchSize">Sequences decoded together.</param>
/// <param name="TokensPerSecond">New tokens of all sequences.</param>
internal sealed record DecodingMeasurement(
    BenchmarkedModel Model, string Variant, bool IsPlain, ScalarType WeightType, int BatchSize, Spread TokensPerSecond)
{
    /// <summary>Weights that are read: once for each pass, whatever the number of sequences.</summary>
    public double GigabytesPerSecond =>
        Model.Size.DecodingParameters * NativeTensor.ElementSize(WeightType) * TokensPerSecond.Median / BatchSize / 1e9;
}
