using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Evaluation;

/// <summary>Compares generated sounds with real ones, pair after pair; of the pairs themselves nothing is kept.</summary>
/// <param name="options">Checked options.</param>
/// <param name="extractor">The network of features; null for no distances over features. It stays the caller's.</param>
/// <param name="comparesSpeech">Whether cepstra and pitches are compared.</param>
/// <param name="isOfCodec">Whether a codec made the sounds of the real ones, which are compared sample by sample then.</param>
internal sealed class SoundComparer(
    AudioEvaluationOptions options, IAudioFeatureExtractor? extractor, bool comparesSpeech, bool isOfCodec = false) : IDisposable
{
    private readonly AudioFeatureRows? _real = extractor is null ? null : new(extractor);
    private readonly AudioFeatureRows? _generated = extractor is null ? null : new(extractor);
    private SpeechComparison? _speech;
    private ReconstructionComparison? _reconstruction;

    /// <summary>How many pairs there are.</summary>
    public int Count { get; private set; }

    /// <exception cref="ArgumentException">A sound cannot be compared.</exception>
    public void Add(Waveform real, Waveform generated)
    {
        Named("real", () => _real?.Add(real));
        Named("generated", () => _generated?.Add(generated));
        var rate = options.Comparison.SampleRate ?? real.SampleRate;
        if (comparesSpeech)
            (_speech ??= new(rate, options.Comparison)).Add(real, generated);
        if (isOfCodec || options.CompareReconstruction)
            (_reconstruction ??= new(rate, options.Comparison)).Add(real, generated);
        Count++;
    }

    /// <exception cref="ArgumentException">There is no pair, or features have too few rows or are not finite.</exception>
    public AudioMetrics ToMetrics()
    {
        if (Count == 0)
            throw new ArgumentException("The data has no sounds to compare.");
        var hasFeatures = options.FeatureExtractor is not null || Count > 1; // of the default one sound is none too few
        using var real = hasFeatures ? _real?.ToTensor() : null;
        using var generated = hasFeatures ? _generated?.ToTensor() : null;
        return new(Count)
        {
            FrechetDistance = real is null ? null : FeatureDistances.FrechetDistance(real, generated!),
            KernelDistance = real is null ? null : FeatureDistances.KernelDistance(real, generated!),
            Speech = _speech?.ToDistances(),
            Reconstruction = _reconstruction?.ToDistances(),
        };
    }

    public void Dispose()
    {
        _real?.Dispose();
        _generated?.Dispose();
    }

    private static void Named(string sound, Action add)
    {
        try
        {
            add();
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"{exception.Message} (the {sound} sound)", exception);
        }
    }
}
