using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLTransfer.Torch.Sounds;

/// <summary>A sound: samples of one or more channels at a rate. It does not change.</summary>
public sealed class Waveform
{
    /// <summary>The largest number of channels.</summary>
    public const int MostChannels = 64;

    /// <summary>The highest rate, in samples a second.</summary>
    public const int HighestSampleRate = 768_000;

    private readonly float[] _samples;

    /// <summary>Takes the samples without copying them; nobody may write them afterwards.</summary>
    /// <param name="samples">Channel after channel, [channels, frames]; 1 is full scale.</param>
    /// <param name="sampleRate">Frames a second, 1 to <see cref="HighestSampleRate"/>.</param>
    /// <param name="channels">1 to <see cref="MostChannels"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ArgumentException">The number of samples is no multiple of the channels.</exception>
    public Waveform(float[] samples, int sampleRate, int channels = 1)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, HighestSampleRate);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, MostChannels);
        if (samples.Length % channels != 0)
            throw new ArgumentException($"{samples.Length} samples do not divide into {channels} channels.", nameof(samples));
        (_samples, SampleRate, Channels) = (samples, sampleRate, channels);
    }

    /// <summary>All samples, channel after channel: [channels, frames].</summary>
    public ReadOnlySpan<float> Samples => _samples;

    /// <summary>Frames a second.</summary>
    public int SampleRate { get; }

    /// <summary>How many channels there are.</summary>
    public int Channels { get; }

    /// <summary>Samples of each channel.</summary>
    public int Frames => _samples.Length / Channels;

    /// <summary>How long the sound lasts.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Frames / SampleRate);

    /// <summary>The samples of one channel.</summary>
    /// <param name="index">0 for the first, which of two is the left one.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such channel.</exception>
    public ReadOnlySpan<float> Channel(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Channels);
        return _samples.AsSpan(index * Frames, Frames);
    }

    /// <summary>Refuses samples that are no finite numbers, of which nothing can be computed.</summary>
    /// <exception cref="ArgumentException">There is one; the message tells where.</exception>
    internal void CheckFinite()
    {
        // one pass without branches: a sum of squares is finite only if all are
        if (float.IsFinite(TensorPrimitives.SumOfSquares<float>(Samples)))
            return;
        for (var i = 0; i < _samples.Length; i++)
        {
            if (!float.IsFinite(_samples[i]))
            {
                throw new ArgumentException(
                    $"The sound has a sample that is no finite number: {_samples[i]} in frame {i % Frames} of channel {i / Frames}.");
            }
        }
    }

    /// <summary>A copy of the samples as a float32 tensor [channels, frames] on the CPU.</summary>
    internal Tensor ToTensor() => tensor(_samples, Channels, Frames);

    /// <summary>The sound that a tensor [channels, frames] holds.</summary>
    internal static Waveform FromTensor(Tensor samples, int sampleRate)
    {
        using var plain = samples.detach().to(ScalarType.Float32).cpu().contiguous();
        return new(plain.data<float>().ToArray(), sampleRate, (int)samples.shape[0]);
    }
}
