using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>The speed of greedy decoding, the prompt's pass included.</summary>
/// <param name="Model">What decodes.</param>
/// <param name="Variant">The name in tables.</param>
/// <param name="IsPlain">Whether it is the plain TorchSharp loop.</param>
/// <param name="Weights">What it computes with.</param>
/// <param name="BatchSize">Sequences decoded together.</param>
/// <param name="TokensPerSecond">New tokens of all sequences.</param>
internal sealed record DecodingMeasurement(
    BenchmarkedModel Model, string Variant, bool IsPlain, DecodingWeights Weights, int BatchSize, Spread TokensPerSecond)
{
    /// <summary>Weights that are read: once for each pass, whatever the number of sequences.</summary>
    public double GigabytesPerSecond =>
        Model.Size.DecodingParameters * Weights.Bytes * TokensPerSecond.Median / BatchSize / 1e9;
}
