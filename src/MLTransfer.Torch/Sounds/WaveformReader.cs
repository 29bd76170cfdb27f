using NLayer;
using NVorbis;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// Reads a file of a sound piece by piece: WAV (PCM of 8 to 32 bits, float), MP3 or Ogg Vorbis, by its content. A file of hours takes no
/// more memory than a piece. What a file's header says of its length is not trusted.
/// </summary>
public sealed class WaveformReader : IDisposable
{
    private readonly string _location;
    private readonly string _kind;
    private readonly Stream _file;
    private readonly SampleSource _source;
    private long _framesRead;

    private WaveformReader(string location, string kind, Stream file, SampleSource source) =>
        (_location, _kind, _file, _source) = (location, kind, file, source);

    /// <summary>Frames a second.</summary>
    public int SampleRate => _source.SampleRate;

    /// <summary>How many channels there are.</summary>
    public int Channels => _source.Channels;

    /// <summary>What messages call the file.</summary>
    internal string Location => _location;

    /// <summary>How many frames a WAV file has, as far as its header and its size tell; null for the other kinds.</summary>
    public long? Frames => _source.Frames;

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is none of the kinds, or damaged; the message names it and what is wrong.</exception>
    public static WaveformReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete), path);
    }

    /// <summary>Opens a file's content.</summary>
    /// <param name="stream">Can seek; it is closed with the reader.</param>
    /// <param name="location">What messages call it.</param>
    /// <exception cref="InvalidDataException">As in <see cref="Open(string)"/>.</exception>
    internal static WaveformReader Open(Stream stream, string location)
    {
        try
        {
            var kind = KindOf(stream) ?? throw new InvalidDataException($"'{location}' is no WAV, MP3 or Ogg Vorbis file.");
            return Guarded(location, kind, () => new WaveformReader(location, kind, stream, OpenSource(kind, stream)));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The next piece.</summary>
    /// <param name="frames">The most frames that it has.</param>
    /// <returns>A piece of at least one frame; null at the end.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or has samples that are no finite numbers.</exception>
    public Waveform? Read(int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        var interleaved = new float[checked(frames * Channels)];
        var count = Guarded(_location, _kind, () =>
        {
            var filled = 0;
            for (int read; filled < interleaved.Length && (read = _source.Read(interleaved.AsSpan(filled))) > 0;)
                filled += read;
            return filled / Channels;
        });
        if (count == 0)
            return null;
        var samples = new float[count * Channels];
        for (var frame = 0; frame < count; frame++)
        {
            for (var channel = 0; channel < Channels; channel++)
            {
                var sample = interleaved[frame * Channels + channel];
                if (!float.IsFinite(sample))
                {
                    throw new InvalidDataException(
                        $"'{_location}' has a sample that is no finite number: {sample} in frame {_framesRead + frame}.");
                }

                samples[channel * count + frame] = sample;
            }
        }

        _framesRead += count;
        return new(samples, SampleRate, Channels);
    }

    /// <summary>The rest of the file in pieces, read as they are asked for.</summary>
    /// <param name="frames">Frames of each piece but the last, which may have fewer.</param>
    /// <exception cref="InvalidDataException">As in <see cref="Read"/>.</exception>
    public IEnumerable<Waveform> ReadPieces(int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        return Pieces();

        IEnumerable<Waveform> Pieces()
        {
            while (Read(frames) is { } piece)
                yield return piece;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _file.Dispose(); // not every decoder does it
    }

    private static string? KindOf(Stream stream)
    {
        Span<byte> start = stackalloc byte[4];
        var count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        return start[..count] switch
        {
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F'] or [(byte)'R', (byte)'F', (byte)'6', (byte)'4'] => "WAV",
            [(byte)'O', (byte)'g', (byte)'g', (byte)'S'] => "Ogg Vorbis",
            [(byte)'I', (byte)'D', (byte)'3', _] or [0xFF, >= 0xE0, _, _] => "MP3",
            _ => null,
        };
    }

    private static SampleSource OpenSource(string kind, Stream stream)
    {
        SampleSource source = kind switch
        {
            "WAV" => WaveSource.Open(stream),
            "MP3" => new MpegSource(new MpegFile(stream)),
            _ => new VorbisSource(new VorbisReader(stream, closeOnDispose: false)),
        };
        if (source.Channels is < 1 or > Waveform.MostChannels || source.SampleRate is < 1 or > Waveform.HighestSampleRate)
        {
            source.Dispose();
            throw new InvalidDataException(
                $"{source.Channels} channels at {source.SampleRate} Hz are not 1 to {Waveform.MostChannels} at 1 to "
                + $"{Waveform.HighestSampleRate} Hz");
        }

        return source;
    }

    /// <summary>Decoders meet damaged files with whatever their code runs into.</summary>
    private static T Guarded<T>(string location, string kind, Func<T> decode)
    {
        try
        {
            return decode();
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ObjectDisposedException or UnauthorizedAccessException)
            && e is not IOException || e is EndOfStreamException or InvalidDataException)
        {
            throw new InvalidDataException($"'{location}' cannot be read as {kind}: {e.Message.TrimEnd('.')}.", e);
        }
    }
}
