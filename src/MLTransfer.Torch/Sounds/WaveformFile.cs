using System.Buffers.Binary;
using MLTransfer.Torch.Checkpoints;
using NAudio.Wave;

namespace MLTransfer.Torch.Sounds;

/// <summary>Files of sounds, read whole and written.</summary>
public static class WaveformFile
{
    private const int PieceFrames = 1 << 16;

    /// <summary>Reads a whole file: WAV, MP3 or Ogg Vorbis, by its content.</summary>
    /// <param name="path">The file.</param>
    /// <param name="longest">What a longer file is refused for; null for the longest that memory holds.</param>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    /// <exception cref="InvalidDataException">
    /// It is damaged, has samples that are no finite numbers, or lasts longer; the message names it and what is wrong.
    /// </exception>
    public static Waveform Read(string path, TimeSpan? longest = null)
    {
        using var reader = WaveformReader.Open(path);
        return Read(reader, longest);
    }

    /// <summary>Reads the content of a file.</summary>
    /// <param name="content">The content.</param>
    /// <param name="location">What messages call it.</param>
    /// <param name="longest">As in <see cref="Read(string, TimeSpan?)"/>.</param>
    /// <exception cref="InvalidDataException">As in <see cref="Read(string, TimeSpan?)"/>.</exception>
    internal static Waveform Read(byte[] content, string location, TimeSpan? longest = null)
    {
        using var reader = WaveformReader.Open(new MemoryStream(content, writable: false), location);
        return Read(reader, longest);
    }

    private static Waveform Read(WaveformReader reader, TimeSpan? longest)
    {
        var mostFrames = Array.MaxLength / reader.Channels;
        if (longest is { } duration)
            mostFrames = (int)Math.Min(mostFrames, duration.TotalSeconds * reader.SampleRate);
        if (reader.Frames > mostFrames)
            throw TooLong(reader, mostFrames);
        List<Waveform> pieces = [];
        long frames = 0;
        foreach (var piece in reader.ReadPieces(PieceFrames))
        {
            if ((frames += piece.Frames) > mostFrames)
                throw TooLong(reader, mostFrames);
            pieces.Add(piece);
        }

        return Join(pieces, reader.SampleRate, reader.Channels);
    }

    /// <summary>Writes a WAV file under a temporary name and renames it.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="sound">What is written.</param>
    /// <param name="encoding">How samples are held.</param>
    /// <exception cref="ArgumentException">A sample is no finite number.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Waveform sound, WaveEncoding encoding = WaveEncoding.Pcm16)
    {
        ArgumentNullException.ThrowIfNull(sound);
        WritePieces(path, [sound], encoding);
    }

    /// <summary>Writes pieces of a sound, one after the other, into a WAV file; only one is held at a time.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="pieces">At least one; all of one rate and with as many channels.</param>
    /// <param name="encoding">How samples are held.</param>
    /// <exception cref="ArgumentException">There is no piece, they differ, or a sample is no finite number.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WritePieces(string path, IEnumerable<Waveform> pieces, WaveEncoding encoding = WaveEncoding.Pcm16)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(pieces);
        AtomicFile.Write(path, stream => Write(stream, pieces, encoding));
    }

    /// <summary>The content of a WAV file.</summary>
    internal static byte[] ToBytes(Waveform sound, WaveEncoding encoding = WaveEncoding.Pcm16)
    {
        using var stream = new MemoryStream();
        Write(stream, [sound], encoding);
        return stream.ToArray();
    }

    /// <summary>One sound out of pieces of the same rate and channels.</summary>
    internal static Waveform Join(IReadOnlyList<Waveform> pieces, int sampleRate, int channels)
    {
        if (pieces.Count == 1)
            return pieces[0];
        var frames = pieces.Sum(piece => piece.Frames);
        var samples = new float[checked(frames * channels)];
        var start = 0;
        foreach (var piece in pieces)
        {
            for (var channel = 0; channel < channels; channel++)
                piece.Channel(channel).CopyTo(samples.AsSpan(channel * frames + start));
            start += piece.Frames;
        }

        return new(samples, sampleRate, channels);
    }

    private static void Write(Stream stream, IEnumerable<Waveform> pieces, WaveEncoding encoding)
    {
        WaveFileWriter? writer = null;
        try
        {
            WaveFormat? format = null;
            foreach (var piece in pieces)
            {
                format ??= FormatOf(piece, encoding);
                writer ??= new WaveFileWriter(stream, format, new() { EnableRf64 = true });
                if (piece.SampleRate != format.SampleRate || piece.Channels != format.Channels)
                {
                    throw new ArgumentException(
                        $"A piece has {piece.Channels} channels at {piece.SampleRate} Hz, the first {format.Channels} at "
                        + $"{format.SampleRate} Hz.",
                        nameof(pieces));
                }

                writer.Write(Encode(piece, encoding));
            }

            if (writer is null)
                throw new ArgumentException("There is no piece, so no rate.", nameof(pieces));
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private static WaveFormat FormatOf(Waveform sound, WaveEncoding encoding) => encoding switch
    {
        WaveEncoding.Pcm16 => new WaveFormat(sound.SampleRate, 16, sound.Channels),
        WaveEncoding.Pcm24 => new WaveFormat(sound.SampleRate, 24, sound.Channels),
        WaveEncoding.Float32 => WaveFormat.CreateIeeeFloatWaveFormat(sound.SampleRate, sound.Channels),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, null),
    };

    /// <summary>Frame after frame; integers are rounded, and what was read from integers becomes the same ones.</summary>
    private static byte[] Encode(Waveform sound, WaveEncoding encoding)
    {
        sound.CheckFinite();
        var width = encoding switch { WaveEncoding.Pcm16 => 2, WaveEncoding.Pcm24 => 3, _ => 4 };
        var scale = encoding == WaveEncoding.Pcm16 ? 1 << 15 : 1 << 23;
        var bytes = new byte[checked(sound.Samples.Length * width)];
        Span<byte> four = stackalloc byte[sizeof(int)];
        for (var channel = 0; channel < sound.Channels; channel++)
        {
            var samples = sound.Channel(channel);
            for (var frame = 0; frame < samples.Length; frame++)
            {
                if (encoding == WaveEncoding.Float32)
                    BinaryPrimitives.WriteSingleLittleEndian(four, samples[frame]);
                else
                    BinaryPrimitives.WriteInt32LittleEndian(
                        four, (int)Math.Clamp(Math.Round((double)samples[frame] * scale), -scale, scale - 1));
                four[..width].CopyTo(bytes.AsSpan((frame * sound.Channels + channel) * width));
            }
        }

        return bytes;
    }

    private static InvalidDataException TooLong(WaveformReader reader, int mostFrames) => new(
        $"'{reader.Location}' lasts longer than {TimeSpan.FromSeconds((double)mostFrames / reader.SampleRate):c}, the most that is read "
        + $"at once. Cut it, allow more, or read it in pieces ({nameof(WaveformReader)}).");
}
