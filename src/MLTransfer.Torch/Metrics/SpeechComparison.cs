using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Metrics;

/// <summary>Compares generated speech with recordings of the same texts, pair after pair.</summary>
public sealed class SpeechComparison
{
    /// <summary>Pitches that differ by more than this share are taken for mistakes of another kind than being out of tune.</summary>
    private const double GrossShare = 0.2;

    private readonly int _sampleRate;
    private readonly MelCepstrum _cepstrum;
    private readonly PitchOptions _pitch;
    private readonly double _pitchFramesAFrame;
    private readonly List<float> _real = [];
    private readonly List<float> _generated = [];
    private (double Aligned, double Unaligned) _distortion;
    private double _squaredCents;
    private long _aligned, _voicedInBoth, _voicedInOne, _gross;

    /// <param name="sampleRate">The rate at which sounds are compared.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">A number is out of its range; the message names it.</exception>
    public SpeechComparison(int sampleRate, SoundComparisonOptions? options = null)
    {
        var found = (options ?? new()).For(sampleRate);
        (_sampleRate, _pitch) = (sampleRate, found.Pitch!);
        _cepstrum = new(new(sampleRate, found.FrameLength!.Value, found.MelBands), found.HopLength!.Value, found.Coefficients);
        _pitchFramesAFrame = (double)found.HopLength.Value / _pitch.HopLength;
    }

    /// <summary>How many pairs there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a pair. Sounds of other rates are converted, of several channels the mean is taken.</summary>
    /// <param name="real">The recording.</param>
    /// <param name="generated">What is compared with it.</param>
    /// <exception cref="ArgumentException">
    /// A sound is too short for a frame or has a sample that is no finite number, or both are so long that they cannot be aligned.
    /// </exception>
    public void Add(Waveform real, Waveform generated)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(generated);
        var (first, second) = (Prepare(real), Prepare(generated));
        var distortion = _cepstrum.Compare(first.Samples, second.Samples);
        var pitches = PitchTracking.ProbabilisticYin(first.Samples, _sampleRate, _pitch).Frequencies;
        var others = PitchTracking.ProbabilisticYin(second.Samples, _sampleRate, _pitch).Frequencies;
        foreach (var (i, j) in distortion.Path)
            AddFrame(pitches[PitchFrame(i, pitches.Count)], others[PitchFrame(j, others.Count)]);
        _real.AddRange(pitches);
        _generated.AddRange(others);
        _distortion = (_distortion.Aligned + distortion.Aligned, _distortion.Unaligned + distortion.Unaligned);
        Count++;
    }

    /// <summary>The distances of all pairs so far.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public SpeechDistances ToDistances() => Count == 0
        ? throw new InvalidOperationException("There are no sounds to compare.")
        : new(
            _distortion.Aligned / Count, _distortion.Unaligned / Count, PitchStatistics.Of(_real), PitchStatistics.Of(_generated),
            _voicedInBoth == 0 ? null : Math.Sqrt(_squaredCents / _voicedInBoth),
            _voicedInBoth == 0 ? null : (double)_gross / _voicedInBoth, (double)_voicedInOne / _aligned);

    private void AddFrame(double real, double generated)
    {
        _aligned++;
        if (real > 0 != generated > 0)
            _voicedInOne++;
        if (real <= 0 || generated <= 0)
            return;
        var cents = 1200 * Math.Log2(generated / real);
        _squaredCents += cents * cents;
        _voicedInBoth++;
        if (Math.Abs(generated - real) > GrossShare * real)
            _gross++;
    }

    /// <summary>The frame of pitch whose middle is nearest to that of a frame of cepstra.</summary>
    private int PitchFrame(int frame, int count) => Math.Min(count - 1, (int)Math.Round(frame * _pitchFramesAFrame));

    private Waveform Prepare(Waveform sound)
    {
        sound.CheckFinite();
        return sound.Mix(1).Resample(_sampleRate);
    }
}
