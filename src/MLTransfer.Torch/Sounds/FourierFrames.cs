using static TorchSharp.torch;

namespace MLTransfer.Torch.Sounds;

/// <summary>The short-time Fourier transform: frames of a sound under a periodic Hann window, each as its bins.</summary>
/// <param name="FftSize">Samples of a frame; there are <c>FftSize / 2 + 1</c> bins.</param>
/// <param name="HopLength">Samples from a frame to the next.</param>
public sealed record FourierFrames(int FftSize, int HopLength)
{
    /// <summary>Samples of the window, which stands in the middle of the frame; null for the whole frame.</summary>
    public int? WindowLength { get; init; }

    /// <summary>What stands before and after the sound.</summary>
    public FramePadding Padding { get; init; } = FramePadding.MirroredHalfFrame;

    /// <summary>Samples that are added on either side.</summary>
    private int PaddedSamples => Padding switch
    {
        FramePadding.None => 0,
        FramePadding.MirroredToHops => (FftSize - HopLength) / 2,
        _ => FftSize / 2,
    };

    /// <summary>How many frames a sound of that many samples has.</summary>
    /// <param name="samples">Of one channel.</param>
    public int FramesOf(int samples)
    {
        var padded = samples + 2L * PaddedSamples;
        return padded < FftSize ? 0 : (int)((padded - FftSize) / HopLength + 1);
    }

    /// <summary>The magnitudes of a sound's bins: [bins, frames].</summary>
    /// <param name="samples">One channel.</param>
    /// <exception cref="ArgumentException">The sound is shorter than a frame, or too short to be mirrored; or a size is wrong.</exception>
    public float[,] Magnitudes(ReadOnlySpan<float> samples)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return Arrays.ToArray(Power(tensor(samples.ToArray())).sqrt());
    }

    /// <summary>Squared magnitudes of bins.</summary>
    /// <param name="samples">[samples] or [batch, samples].</param>
    /// <returns>[bins, frames] or [batch, bins, frames]; the gradient flows through it.</returns>
    /// <exception cref="ArgumentException">As in <see cref="Magnitudes"/>.</exception>
    internal Tensor Power(Tensor samples)
    {
        Check(samples.shape[^1]);
        using var scope = NewDisposeScope();
        var window = hann_window(WindowLength ?? FftSize, periodic: true, dtype: samples.dtype, device: samples.device);
        var padded = Pad(samples);
        var spectrum = stft(padded, FftSize, HopLength, WindowLength ?? FftSize, window, center: false, return_complex: true);
        var parts = view_as_real(spectrum);
        return parts.square().sum(-1).MoveToOuterDisposeScope();
    }

    private Tensor Pad(Tensor samples)
    {
        var count = PaddedSamples;
        if (count == 0)
            return samples;
        var mode = Padding == FramePadding.ZeroHalfFrame ? TorchSharp.PaddingModes.Constant : TorchSharp.PaddingModes.Reflect;
        return nn.functional.pad(samples.unsqueeze(0), [count, count], mode).squeeze(0);
    }

    /// <summary>libtorch's own refusals would name nothing of these.</summary>
    private void Check(long samples)
    {
        if (FftSize < 2 || HopLength < 1 || WindowLength is < 1 || WindowLength > FftSize)
        {
            throw new ArgumentException(
                $"{nameof(FftSize)} must be at least 2, {nameof(HopLength)} at least 1 and {nameof(WindowLength)} no longer than "
                + $"the frame: {this}");
        }

        if (Padding == FramePadding.MirroredToHops && HopLength > FftSize)
            throw new ArgumentException($"With {Padding}, {nameof(HopLength)} must not be above {nameof(FftSize)}: {this}");
        var mirrored = Padding is FramePadding.MirroredHalfFrame or FramePadding.MirroredToHops;
        if (mirrored && samples <= PaddedSamples)
        {
            throw new ArgumentException(
                $"A sound of {samples} samples is too short for frames of {FftSize}: {PaddedSamples + 1} are needed to mirror it.");
        }

        if (samples + 2L * PaddedSamples < FftSize)
            throw new ArgumentException($"A sound of {samples} samples is shorter than a frame of {FftSize}.");
    }
}
