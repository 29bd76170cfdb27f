using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>A variant's training speed beside the machine's peak and the other variants.</summary>
/// <param name="Model">What was trained.</param>
/// <param name="Variant">How.</param>
/// <param name="BatchSize">Rows of a step.</param>
/// <param name="Length">Tokens of a row.</param>
/// <param name="StepSeconds">The times of steps.</param>
/// <param name="TokensPerSecond">At the median.</param>
/// <param name="Gigaflops">A second, at the median; null where the count of operations does not apply.</param>
/// <param name="ShareOfPeak">Of the matrix product's peak in the variant's type.</param>
/// <param name="TimesFloat32">Tokens a second over those of the library's float32.</param>
/// <param name="TimesPlain">Tokens a second over those of plain TorchSharp that trains the same.</param>
/// <param name="FirstLoss">The loss before the first update, in nats a token.</param>
/// <param name="Reference">What another stack reaches, in words.</param>
internal sealed record TrainingResult(
    string Model, string Variant, int BatchSize, int Length, Spread StepSeconds, double TokensPerSecond, double? Gigaflops,
    double? ShareOfPeak,
    double TimesFloat32, double TimesPlain, double FirstLoss, string? Reference)
{
    public static IEnumerable<TrainingResult> Compare(IReadOnlyList<TrainingMeasurement> measured, Peaks peaks)
    {
        var float32 = measured.Single(m => m.Variant == TrainingVariant.Float32).TokensPerSecond;
        var plain = measured.Single(m => m.Variant == TrainingVariant.Plain).TokensPerSecond;
        var plainAdapters = measured.Single(m => m.Variant == TrainingVariant.PlainAdapters).TokensPerSecond;
        return measured.Select(m => new TrainingResult(
            m.Model.Name, m.Variant.Name, m.Shape.BatchSize, m.Shape.Length, m.StepSeconds, m.TokensPerSecond, m.Gigaflops,
            m.Gigaflops / peaks.Gigaflops(m.Variant.ProductType), m.TokensPerSecond / float32,
            m.TokensPerSecond / (m.Variant.IsAdapted ? plainAdapters : plain), m.FirstLoss,
            ReferenceStack.Training(m.Model, m.Variant)));
    }
}
