using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>A variant's decoding speed beside the machine's read bandwidth and the other variants.</summary>
/// <param name="Model">What decoded.</param>
/// <param name="Variant">How.</param>
/// <param name="BatchSize">Sequences together.</param>
/// <param name="TokensPerSecond">New tokens of all sequences.</param>
/// <param name="GigabytesPerSecond">Of weights read, at the median.</param>
/// <param name="ShareOfBandwidth">Of the read bandwidth.</param>
/// <param name="TimesOneSequence">Tokens a second over those of the same variant with one sequence.</param>
/// <param name="TimesBFloat16">Tokens a second over those of the same program in bf16 with as many sequences.</param>
/// <param name="TimesPlain">
/// Tokens a second over those of plain TorchSharp with as many sequences, in the same type, or in bf16 for int8 and int4, which it has
/// not.
/// </param>
/// <param name="Reference">What another stack reaches, in words.</param>
internal sealed record DecodingResult(
    string Model, string Variant, int BatchSize, Spread TokensPerSecond, double GigabytesPerSecond, double ShareOfBandwidth,
    double TimesOneSequence, double TimesBFloat16, double TimesPlain, string? Reference)
{
    public static IEnumerable<DecodingResult> Compare(IReadOnlyList<DecodingMeasurement> measured, Peaks peaks) => measured.Select(m =>
    {
        var one = measured.Single(other => other.Variant == m.Variant && other.BatchSize == 1);
        var narrow = Find(m.IsPlain, DecodingWeights.BFloat16);
        var plain = Find(isPlain: true, m.Weights.Plain);
        return new DecodingResult(
            m.Model.Name, m.Variant, m.BatchSize, m.TokensPerSecond, m.GigabytesPerSecond,
            m.GigabytesPerSecond / peaks.ReadGigabytesPerSecond,
            m.TokensPerSecond.Median / one.TokensPerSecond.Median, m.TokensPerSecond.Median / narrow.TokensPerSecond.Median,
            m.TokensPerSecond.Median / plain.TokensPerSecond.Median, ReferenceStack.Decoding(m));

        DecodingMeasurement Find(bool isPlain, DecodingWeights weights) =>
            measured.Single(other => other.IsPlain == isPlain && other.Weights == weights && other.BatchSize == m.BatchSize);
    });
}
