using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>Compares decoded sounds with those that were encoded, pair after pair.</summary>
public sealed class ReconstructionComparison
{
    private readonly int _sampleRate;
    private readonly MelSpectrogram _spectrogram;
    private double _decibels, _melDistance;
    private int _channels, _silent;

    /// <param name="sampleRate">The rate of the sounds.</param>
    /// <param name="options">Of which frames and mel bands are taken; null for defaults.</param>
    /// <exception cref="ArgumentException">A number is out of its range; the message names it.</exception>
    public ReconstructionComparison(int sampleRate, SoundComparisonOptions? options = null)
    {
        var found = (options ?? new()).For(sampleRate);
        _sampleRate = sampleRate;
        _spectrogram = MelSpectrogram.ForVocoder(
            new(sampleRate, found.FrameLength!.Value, found.MelBands), found.HopLength!.Value);
    }

    /// <summary>Adds a pair.</summary>
    /// <param name="real">What was encoded.</param>
    /// <param name="decoded">
    /// What came out, of the same rate, channel by channel. Of the longer of the two what is behind the shorter one's end is left out.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A sound has another rate or other channels, is too short for a frame, or has a sample that is no finite number.
    /// </exception>
    public void Add(Waveform real, Waveform decoded)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(decoded);
        if (real.SampleRate != _sampleRate || decoded.SampleRate != _sampleRate || real.Channels != decoded.Channels)
        {
            throw new ArgumentException(
                $"Sounds of {real.Channels} and {decoded.Channels} channels at {real.SampleRate} and {decoded.SampleRate} Hz cannot be "
                + $"compared sample by sample; expected as many channels, at {_sampleRate} Hz. Put ResampleAudio before.");
        }

        real.CheckFinite();
        decoded.CheckFinite();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var frames = Math.Min(real.Frames, decoded.Frames);
        var (wanted, found) = (real.ToTensor().narrow(1, 0, frames), decoded.ToTensor().narrow(1, 0, frames));
        _melDistance += real.Channels
            * (_spectrogram.Compute(wanted) - _spectrogram.Compute(found)).abs().mean().item<float>();
        for (var channel = 0; channel < real.Channels; channel++)
        {
            _channels++;
            if (SignalToNoise(wanted[channel], found[channel]) is { } decibels)
                _decibels += decibels;
            else
                _silent++;
        }
    }

    /// <summary>The distances of all pairs so far.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public ReconstructionDistances ToDistances() => _channels == 0
        ? throw new InvalidOperationException("There are no sounds to compare.")
        : new(_silent == _channels ? null : _decibels / (_channels - _silent), _melDistance / _channels, _silent);

    /// <summary>10 log10 of |t|^2 / |e - t|^2, where t is the part of the estimate e that lies along the signal, both without their
    /// means.</summary>
    private static double? SignalToNoise(Tensor signal, Tensor estimate)
    {
        using var scope = NewDisposeScope();
        var (s, e) = (signal.to(ScalarType.Float64), estimate.to(ScalarType.Float64));
        (s, e) = (s - s.mean(), e - e.mean());
        var energy = s.square().sum().item<double>();
        if (energy == 0)
            return null;
        if (e.square().sum().item<double>() == 0)
            return double.NegativeInfinity;
        var target = s * ((s * e).sum() / energy);
        return 10 * Math.Log10(target.square().sum().item<double>() / (e - target).square().sum().item<double>());
    }
}
