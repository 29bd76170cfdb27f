using System.Collections.Concurrent;
using NAudio.Dsp;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// NAudio's resampler with a windowed sinc of 512 samples: measured, tones up to 0.45 of the lower rate keep their height to 0.1 % and
/// what is above 0.6 of it comes out 140 dB lower.
/// </summary>
/// <remarks>Its table takes longer to make than a short clip to convert, so objects that are done with are used again.</remarks>
internal sealed class SincResampler : IDisposable
{
    /// <summary>Frames that are converted at once.</summary>
    public const int PieceFrames = 4096;

    private const int SincLength = 512;

    /// <summary>Pairs of rates that are kept; one takes half a megabyte.</summary>
    private const int MostKinds = 16;

    /// <summary>Places between two samples at which the sinc is tabled.</summary>
    private const int SincSteps = 256;

    /// <summary>Those that nobody uses, by rates and channels; few, since a program has few of these.</summary>
    private static readonly ConcurrentDictionary<(int From, int To, int Channels), ConcurrentBag<SincResampler>> s_idle = new();

    private readonly WdlResampler _resampler = new();
    private readonly int _to;
    private readonly float[] _output;
    private long _framesIn;
    private long _framesOut;

    private SincResampler(int from, int to, int channels)
    {
        (From, _to, Channels) = (from, to, channels);
        _resampler.SetMode(false, 0, true, SincLength, SincSteps);
        _resampler.SetFeedMode(true);
        _resampler.SetRates(from, to);
        // a piece may bring out what the one before was waiting for
        _output = new float[checked((int)((PieceFrames + SincLength) * Math.Max(1L, (to + from - 1L) / from + 1)) * channels)];
    }

    /// <summary>A resampler at its beginning, to be disposed by the one caller.</summary>
    public static SincResampler Begin(int from, int to, int channels)
    {
        if (!s_idle.TryGetValue((from, to, channels), out var idle) || !idle.TryTake(out var resampler))
            return new SincResampler(from, to, channels);
        resampler._resampler.Reset(0);
        (resampler._framesIn, resampler._framesOut) = (0, 0);
        return resampler;
    }

    public int From { get; }

    public int Channels { get; }

    /// <exception cref="ArgumentException">The piece is not of the sound that was begun.</exception>
    public void Check(Waveform piece)
    {
        if (piece.SampleRate != From || piece.Channels != Channels)
        {
            throw new ArgumentException(
                $"A piece has {piece.Channels} channels at {piece.SampleRate} Hz, the first {Channels} at {From}.", nameof(piece));
        }
    }

    /// <summary>Converts the frames from a place on, at most <see cref="PieceFrames"/>.</summary>
    public Waveform Convert(Waveform sound, int start)
    {
        var count = Math.Min(PieceFrames, sound.Frames - start);
        _framesIn += count;
        _resampler.ResamplePrepare(count, Channels, out var input);
        for (var channel = 0; channel < Channels; channel++)
        {
            var samples = sound.Channel(channel).Slice(start, count);
            for (var frame = 0; frame < count; frame++)
                input[frame * Channels + channel] = samples[frame];
        }

        return Take(count, long.MaxValue);
    }

    /// <summary>The next frames that were waiting for what follows the last frame, which is silence; null when all have come out.</summary>
    public Waveform? Finish()
    {
        var left = (_framesIn * _to + From - 1) / From - _framesOut;
        if (left <= 0)
            return null;
        _resampler.ResamplePrepare(PieceFrames, Channels, out var input);
        input[..(PieceFrames * Channels)].Clear();
        return Take(PieceFrames, left);
    }

    /// <summary>Leaves it to the next caller.</summary>
    public void Dispose()
    {
        var idle = s_idle.GetOrAdd((From, _to, Channels), _ => []);
        if (s_idle.Count <= MostKinds && idle.Count < Environment.ProcessorCount)
            idle.Add(this);
    }

    private Waveform Take(int framesIn, long mostFrames)
    {
        var frames = _resampler.ResampleOut(_output, framesIn, _output.Length / Channels, Channels);
        frames = (int)Math.Min(frames, mostFrames);
        _framesOut += frames;
        var samples = new float[frames * Channels];
        for (var frame = 0; frame < frames; frame++)
        {
            for (var channel = 0; channel < Channels; channel++)
                samples[channel * frames + frame] = _output[frame * Channels + channel];
        }

        return new(samples, _to, Channels);
    }
}
