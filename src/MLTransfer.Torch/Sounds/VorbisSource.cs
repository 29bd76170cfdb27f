using NVorbis;

namespace MLTransfer.Torch.Sounds;

/// <summary>Ogg files with Vorbis in them, by NVorbis: the first stream.</summary>
internal sealed class VorbisSource(VorbisReader reader) : SampleSource(reader, reader.SampleRate, reader.Channels)
{
    public override int Read(Span<float> samples)
    {
        var count = reader.ReadSamples(samples);
        if (reader.Channels != Channels || reader.SampleRate != SampleRate)
            throw new InvalidDataException("its rate or its channels change on the way");
        return count;
    }
}
