using System.Numerics.Tensors;

namespace MLTransfer.Torch.Sounds;

/// <summary>Sounds at another rate, with other channels.</summary>
public static class WaveformConversion
{
    /// <summary>A sound at another rate, by a windowed sinc that keeps out what the lower rate cannot hold; nothing is delayed.</summary>
    /// <param name="sound">Silence is taken to stand before and after it.</param>
    /// <param name="sampleRate">Frames a second, 1 to <see cref="Waveform.HighestSampleRate"/>.</param>
    /// <returns><c>ceil(frames * new rate / old rate)</c> frames; the sound itself where the rate is its own.</returns>
    /// <exception cref="ArgumentException">A sample is no finite number, or the result would be longer than memory holds.</exception>
    public static Waveform Resample(this Waveform sound, int sampleRate)
    {
        ArgumentNullException.ThrowIfNull(sound);
        return sound.SampleRate == sampleRate
            ? sound
            : WaveformFile.Join([.. Resample([sound], sampleRate)], sampleRate, sound.Channels);
    }

    /// <summary>Pieces of one sound at another rate, converted as they are asked for: the joints leave no trace.</summary>
    /// <param name="pieces">All of one rate and with as many channels.</param>
    /// <param name="sampleRate">Frames a second, 1 to <see cref="Waveform.HighestSampleRate"/>.</param>
    /// <returns>
    /// Pieces of other lengths, with <c>ceil(frames * new rate / old rate)</c> frames together; none where there are none.
    /// </returns>
    /// <exception cref="ArgumentException">Pieces differ, or a sample is no finite number.</exception>
    public static IEnumerable<Waveform> Resample(this IEnumerable<Waveform> pieces, int sampleRate)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, Waveform.HighestSampleRate);
        return Converted();

        IEnumerable<Waveform> Converted()
        {
            SincResampler? resampler = null;
            try
            {
                foreach (var piece in pieces)
                {
                    piece.CheckFinite();
                    resampler ??= SincResampler.Begin(piece.SampleRate, sampleRate, piece.Channels);
                    resampler.Check(piece);
                    for (var start = 0; start < piece.Frames; start += SincResampler.PieceFrames)
                    {
                        if (resampler.Convert(piece, start) is { Frames: > 0 } converted)
                            yield return converted;
                    }
                }

                while (resampler?.Finish() is { } rest)
                    yield return rest;
            }
            finally
            {
                resampler?.Dispose();
            }
        }
    }

    /// <summary>A sound with another number of channels: the mean of all for one, or copies of the one.</summary>
    /// <param name="sound">It is returned itself where it has as many.</param>
    /// <param name="channels">How many are wanted.</param>
    /// <exception cref="ArgumentException">Several channels are to become several others: which goes where is not said.</exception>
    public static Waveform Mix(this Waveform sound, int channels)
    {
        ArgumentNullException.ThrowIfNull(sound);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, Waveform.MostChannels);
        if (channels == sound.Channels)
            return sound;
        if (channels != 1 && sound.Channels != 1)
        {
            throw new ArgumentException(
                $"{sound.Channels} channels cannot become {channels}: only one can become many, and many one. Mix to 1 first.",
                nameof(channels));
        }

        var samples = new float[checked(sound.Frames * channels)];
        if (sound.Channels == 1)
        {
            for (var channel = 0; channel < channels; channel++)
                sound.Samples.CopyTo(samples.AsSpan(channel * sound.Frames));
        }
        else
        {
            for (var channel = 0; channel < sound.Channels; channel++)
                TensorPrimitives.Add(samples, sound.Channel(channel), samples);
            TensorPrimitives.Multiply(samples, 1f / sound.Channels, samples);
        }

        return new(samples, sound.SampleRate, channels);
    }
}
