using NAudio.Wave;

namespace MLTransfer.Torch.Sounds;

/// <summary>WAV files, by NAudio: PCM of 8, 16, 24 and 32 bits and float of 32 and 64, also as "extensible", and RF64.</summary>
internal sealed class WaveSource : SampleSource
{
    private readonly WaveFileReader _reader;
    private readonly ISampleProvider _samples;

    private WaveSource(WaveFileReader reader)
        : base(reader, reader.WaveFormat.SampleRate, reader.WaveFormat.Channels)
    {
        _reader = reader;
        var format = reader.WaveFormat;
        if (format.Channels < 1 || format.BlockAlign != format.Channels * (format.BitsPerSample / 8))
        {
            throw new InvalidDataException(
                $"its frames of {format.BlockAlign} bytes are not {format.Channels} channels of {format.BitsPerSample} bits");
        }

        try
        {
            _samples = reader.ToSampleProvider();
        }
        catch (ArgumentException)
        {
            throw new InvalidDataException(
                $"its encoding, {format.Encoding} of {format.BitsPerSample} bits, cannot be read; PCM of 8, 16, 24 or 32 bits and "
                + "float of 32 or 64 can");
        }
    }

    public static WaveSource Open(Stream stream) => new(new WaveFileReader(new RiffSizeStream(stream)));

    public override long? Frames => _reader.Length / _reader.BlockAlign;

    public override int Read(Span<float> samples)
    {
        // a file that was cut off may end within a frame
        var left = (_reader.Length - _reader.Position) / _reader.BlockAlign * Channels;
        return left == 0 ? 0 : _samples.Read(samples[..(int)Math.Min(samples.Length, left)]);
    }
}
