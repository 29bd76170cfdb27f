using NWaves.Filters.Fda;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Sounds;

/// <summary>Triangles that sum the bins of a spectrum to bands of equal width in mel.</summary>
/// <param name="SampleRate">Of the sounds, in hertz.</param>
/// <param name="FftSize">Samples of a frame.</param>
/// <param name="Bands">How many triangles.</param>
public sealed record MelFilters(int SampleRate, int FftSize, int Bands)
{
    /// <summary>Where the first triangle begins, in hertz.</summary>
    public double LowestFrequency { get; init; }

    /// <summary>Where the last triangle ends, in hertz; null for half the rate.</summary>
    public double? HighestFrequency { get; init; }

    /// <summary>What the bands are equally wide in.</summary>
    public MelScale Scale { get; init; } = MelScale.Slaney;

    /// <summary>Whether every triangle has the same area; else the same height, 1.</summary>
    public bool HasEqualArea { get; init; } = true;

    /// <summary>
    /// The weights of bins 0 to <see cref="FftSize"/> / 2: [bands, bins]. A triangle that lies between two bins has only zeros.
    /// </summary>
    /// <exception cref="ArgumentException">A number is out of its range; the message names it.</exception>
    public float[,] ToArray()
    {
        var highest = HighestFrequency ?? SampleRate / 2.0;
        if (SampleRate < 1 || FftSize < 2 || Bands < 1)
            throw new ArgumentException(
                $"{nameof(SampleRate)}, {nameof(Bands)} (both at least 1) or {nameof(FftSize)} (at least 2): {this}");
        if (!(LowestFrequency >= 0 && LowestFrequency < highest && highest <= SampleRate / 2.0))
        {
            throw new ArgumentException(
                $"{nameof(LowestFrequency)} and {nameof(HighestFrequency)} must ascend between 0 and half the rate: {this}");
        }

        var bands = Scale == MelScale.Slaney
            ? FilterBanks.MelBandsSlaney(Bands, SampleRate, LowestFrequency, highest, overlap: true)
            : FilterBanks.MelBands(Bands, SampleRate, LowestFrequency, highest, overlap: true);
        var filters = FilterBanks.Triangular(FftSize, SampleRate, bands);
        if (HasEqualArea)
            FilterBanks.Normalize(Bands, bands, filters);
        var result = new float[Bands, FftSize / 2 + 1];
        for (var band = 0; band < Bands; band++)
        {
            for (var bin = 0; bin <= FftSize / 2; bin++)
                result[band, bin] = filters[band][bin];
        }

        return result;
    }

    /// <summary>The same as a float32 tensor [bands, bins] on the CPU.</summary>
    internal Tensor ToTensor() => tensor(ToArray());
}
