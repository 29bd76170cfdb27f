using MLTransfer.Torch.Training;

namespace MLTransfer;

/// <summary>
/// The noise by which texts without completions train an encoder with a decoder: T5 writes spans that are left out of a text
/// (<see cref="Torch.Training.Language.SpanCorruption"/>), BART the whole text where spans of it are masked
/// (<see cref="Torch.Training.Language.TextInfilling"/>).
/// </summary>
public sealed record TextNoiseOptions
{
    /// <summary>The share of a text's tokens that are left out, more than 0 and at most 1; null for 0.15 (T5) or 0.3 (BART).</summary>
    public double? NoiseDensity { get; init; }

    /// <summary>The mean length of the spans in tokens: T5's at least 1, BART's the mean of a Poisson distribution; null for 3.</summary>
    public double? MeanSpanLength { get; init; }

    internal void Check()
    {
        if (NoiseDensity is { } density)
        {
            OptionRange.Positive(nameof(NoiseDensity), density);
            OptionRange.Between(nameof(NoiseDensity), density, 0, 1);
        }

        if (MeanSpanLength is { } length)
            OptionRange.Positive(nameof(MeanSpanLength), length);
    }
}
