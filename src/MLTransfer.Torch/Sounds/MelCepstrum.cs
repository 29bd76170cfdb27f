using System.Numerics.Tensors;

namespace MLTransfer.Torch.Sounds;

/// <summary>Mel-frequency cepstral coefficients, and the distance that is measured by them (R. Kubichek, 1993).</summary>
public sealed class MelCepstrum
{
    private readonly MelSpectrogram _spectrogram;
    private readonly double[][] _cosines;

    /// <param name="filters">Mel bands, more than <paramref name="coefficients"/>.</param>
    /// <param name="hopLength">Samples from a frame to the next.</param>
    /// <param name="coefficients">How many the distance takes, beside the first, which is loudness and is left out.</param>
    /// <exception cref="ArgumentException">There are no more bands than coefficients.</exception>
    public MelCepstrum(MelFilters filters, int hopLength, int coefficients = 13)
    {
        ArgumentNullException.ThrowIfNull(filters);
        if (coefficients < 1 || coefficients >= filters.Bands)
            throw new ArgumentException(
                $"{coefficients} coefficients of {filters.Bands} bands: there must be fewer.", nameof(coefficients));
        _spectrogram = new(filters, new(filters.FftSize, hopLength)) { Logarithm = MelLogarithm.Natural };
        // the orthonormal discrete cosine transform of type II
        _cosines = [.. Enumerable.Range(0, coefficients + 1).Select(k => Enumerable.Range(0, filters.Bands)
            .Select(n => Math.Sqrt((k == 0 ? 1.0 : 2.0) / filters.Bands) * Math.Cos(Math.PI * k * (2 * n + 1) / (2.0 * filters.Bands)))
            .ToArray())];
    }

    /// <summary>The cepstrum of a sound, loudness first: [coefficients + 1, frames].</summary>
    /// <param name="samples">One channel, at the filters' rate.</param>
    /// <exception cref="ArgumentException">The sound is too short for a frame.</exception>
    public float[,] Compute(ReadOnlySpan<float> samples)
    {
        var bands = _spectrogram.Compute(samples);
        var result = new float[_cosines.Length, bands.GetLength(1)];
        for (var frame = 0; frame < bands.GetLength(1); frame++)
        {
            for (var k = 0; k < _cosines.Length; k++)
            {
                var sum = 0.0;
                for (var band = 0; band < bands.GetLength(0); band++)
                    sum += _cosines[k][band] * bands[band, frame];
                result[k, frame] = (float)sum;
            }
        }

        return result;
    }

    /// <summary>The mel-cepstral distortion between two sounds, with and without dynamic time warping.</summary>
    /// <param name="first">One channel, at the filters' rate.</param>
    /// <param name="second">Likewise; the order does not matter.</param>
    /// <exception cref="ArgumentException">
    /// A sound is too short for a frame, or both are so long that the alignment would take more than <see cref="TimeWarping.MostCells"/>
    /// pairs of frames.
    /// </exception>
    public CepstralDistortion Compare(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        TimeWarping.Check(_spectrogram.Frames.FramesOf(first.Length), _spectrogram.Frames.FramesOf(second.Length));
        var (left, right) = (Rows(Compute(first)), Rows(Compute(second)));
        double Distance(int i, int j) => 10 / Math.Log(10) * Math.Sqrt(2) * TensorPrimitives.Distance<double>(left[i], right[j]);
        var (path, sum) = TimeWarping.Align(left.Length, right.Length, Distance);
        var unaligned = Enumerable.Range(0, Math.Min(left.Length, right.Length)).Average(i => Distance(i, i));
        return new(sum / path.Count, unaligned, path);
    }

    /// <summary>A frame a row, without loudness.</summary>
    private static double[][] Rows(float[,] cepstrum) =>
        [.. Enumerable.Range(0, cepstrum.GetLength(1)).Select(frame =>
            Enumerable.Range(1, cepstrum.GetLength(0) - 1).Select(k => (double)cepstrum[k, frame]).ToArray())];
}
