using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// The difference of mel spectrograms at several resolutions (arXiv 2210.13438, section 3.4): frames of 2^5 to 2^11 samples, of which as
/// many as fit; of bands' magnitudes, scaled by the window's norm, and of their logarithms, the mean absolute difference.
/// </summary>
internal sealed class MultiScaleMelLoss : IDisposable
{
    private const int SmallestExponent = 5;
    private const int LargestExponent = 11;
    private const int MostBands = 64;
    private const double RootFloor = 1e-9; // of squared magnitudes, so that the gradient of silence is finite
    private const double LogarithmFloor = 1e-5;

    private readonly List<Scale> _scales = [];

    /// <param name="sampleRate">Of the sounds.</param>
    /// <param name="samples">Their length at least; longer frames are left out.</param>
    /// <param name="device">Where they are.</param>
    public MultiScaleMelLoss(int sampleRate, int samples, Device device)
    {
        for (var exponent = SmallestExponent; exponent <= LargestExponent; exponent++)
        {
            var size = 1 << exponent;
            if (exponent > SmallestExponent && size > samples)
                break;
            // Triangles narrower than a bin would be empty.
            using var filters = new MelFilters(sampleRate, size, Math.Min(MostBands, size / 4)).ToTensor();
            _scales.Add(new(
                new FourierFrames(size, size / 4), filters.to(device).DetachFromDisposeScope(), 3.0 / 8 * size)); // sum of Hann's squares
        }
    }

    /// <summary>A number, of which the gradient by the decoded sounds is known.</summary>
    /// <param name="real">[B, channels, samples].</param>
    /// <param name="decoded">The same shape.</param>
    public Tensor Compute(Tensor real, Tensor decoded)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (real.flatten(0, 1), decoded.flatten(0, 1));
        var sum = zeros(1, device: real.device);
        foreach (var scale in _scales)
        {
            var (expected, actual) = (Bands(scale, first), Bands(scale, second));
            sum = sum + (expected - actual).abs().mean() + (Logarithm(expected) - Logarithm(actual)).abs().mean();
        }

        return (sum / _scales.Count).squeeze(0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var scale in _scales)
            scale.Filters.Dispose();
    }

    private static Tensor Bands(Scale scale, Tensor samples) =>
        scale.Filters.matmul((scale.Frames.Power(samples) / scale.WindowEnergy + RootFloor).sqrt());

    private static Tensor Logarithm(Tensor bands) => bands.clamp_min(LogarithmFloor).log();

    private sealed record Scale(FourierFrames Frames, Tensor Filters, double WindowEnergy);
}
