using static TorchSharp.torch;

namespace MLTransfer.Torch.Sounds;

/// <summary>The energy of mel bands over time.</summary>
/// <param name="Filters">What sums bins to bands.</param>
/// <param name="Frames">What cuts a sound into frames; its <see cref="FourierFrames.FftSize"/> is the filters'.</param>
public sealed record MelSpectrogram(MelFilters Filters, FourierFrames Frames)
{
    /// <summary>What is added to squared magnitudes before their root, so that the gradient of silence is finite.</summary>
    private const double RootFloor = 1e-6;

    /// <summary>Whether bands sum squared magnitudes; else magnitudes, <c>sqrt(|X|^2 + 1e-6)</c>.</summary>
    public bool SumsPower { get; init; } = true;

    /// <summary>The least energy that the logarithm is taken of.</summary>
    public double Floor { get; init; } = 1e-10;

    /// <summary>The logarithm that is taken of the energy.</summary>
    public MelLogarithm Logarithm { get; init; } = MelLogarithm.Decimal;

    /// <summary>What vocoders such as HiFi-GAN and VITS learn from: the natural logarithm of summed magnitudes, one frame a hop.</summary>
    /// <param name="filters">What sums bins to bands.</param>
    /// <param name="hopLength">Samples from a frame to the next.</param>
    /// <param name="windowLength">Samples of the window; null for the whole frame.</param>
    public static MelSpectrogram ForVocoder(MelFilters filters, int hopLength, int? windowLength = null)
    {
        ArgumentNullException.ThrowIfNull(filters);
        var frames = new FourierFrames(filters.FftSize, hopLength) { WindowLength = windowLength, Padding = FramePadding.MirroredToHops };
        return new(filters, frames) { SumsPower = false, Floor = 1e-5, Logarithm = MelLogarithm.Natural };
    }

    /// <summary>The spectrogram of a sound: [bands, frames].</summary>
    /// <param name="samples">One channel.</param>
    /// <exception cref="ArgumentException">The sound is too short for a frame; or a size is wrong.</exception>
    public float[,] Compute(ReadOnlySpan<float> samples)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return Arrays.ToArray(Compute(tensor(samples.ToArray())));
    }

    /// <summary>The spectrogram of sounds.</summary>
    /// <param name="samples">[samples] or [batch, samples].</param>
    /// <returns>[bands, frames] or [batch, bands, frames]; the gradient flows through it.</returns>
    /// <exception cref="ArgumentException">The sounds are too short for a frame; or a size is wrong.</exception>
    internal Tensor Compute(Tensor samples)
    {
        if (Filters.FftSize != Frames.FftSize)
            throw new ArgumentException($"The filters are for frames of {Filters.FftSize} samples, not of {Frames.FftSize}.");
        using var scope = NewDisposeScope();
        var power = Frames.Power(samples);
        return OfSpectrum(SumsPower ? power : Magnitudes(power)).MoveToOuterDisposeScope();
    }

    /// <summary>Magnitudes out of squared ones.</summary>
    internal static Tensor Magnitudes(Tensor power) => (power + RootFloor).sqrt();

    /// <summary>The bands of a spectrum that is there already, [.., bins, frames], as power or magnitudes by
    /// <see cref="SumsPower"/>.</summary>
    internal Tensor OfSpectrum(Tensor spectrum)
    {
        using var scope = NewDisposeScope();
        var bands = Filters.ToTensor().to(spectrum.dtype).to(spectrum.device).matmul(spectrum);
        var result = Logarithm switch
        {
            MelLogarithm.Natural => bands.clamp_min(Floor).log(),
            MelLogarithm.Decimal => bands.clamp_min(Floor).log10(),
            _ => bands,
        };
        return result.MoveToOuterDisposeScope();
    }
}
